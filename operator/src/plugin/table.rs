//! Columns of text, each as wide as its widest cell. Pure.

/// The rows below each other, two spaces between columns, no space at the end of a line. Columns whose number is in
/// `right` are flush right.
pub fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| letters(cell)).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| padded(cell, *width, right.contains(&column)))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn padded(cell: &str, width: usize, right: bool) -> String {
    let space = " ".repeat(width.saturating_sub(letters(cell)));
    if right { space + cell } else { cell.to_owned() + &space }
}

fn letters(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["NAME", "ACTIVE", "ETA"], ["größe", "12", ""], ["b", "3000", "2 h"]];
        let rows = rows.map(|row| row.map(ToOwned::to_owned).to_vec());
        assert_eq!(table(&rows, &[1]), "NAME   ACTIVE  ETA\ngröße      12\nb        3000  2 h\n");
        assert_eq!(table(&[], &[]), "");
    }
}
