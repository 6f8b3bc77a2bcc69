//! An explanation drawn over its frame. It is here because OpenCV, which draws the lines and the letters, is.

use opencv::{
    core::{self, Mat, Point, Rect, Scalar, Size},
    imgproc,
    prelude::*,
};

use crate::{Error, Explanation, Grey, door};

/// A picture: `width * height * 3` bytes, red, green, blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sketch {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The pixels.
    pub rgb: Vec<u8>,
}

/// Width of the picture in pixels.
const WIDTH: i32 = 1280;
/// Height of a line of text.
const LINE: i32 = 26;
/// Points of the fitted motion across the picture.
const FIELD: i32 = 16;
/// The longest motion is drawn at least this long, in pixels of the picture.
const LONGEST: f64 = 40.0;
/// … but none is drawn longer than this many times its length.
const MAGNIFY: f64 = 16.0;

/// The frame is drawn with this mean of 255: dark enough for what is drawn over it.
const BRIGHTNESS: f64 = 70.0;
/// … but never brightened more than so many times: noise is no texture.
const BRIGHTEN: f64 = 2.5;

// Blue and orange are told apart under every common colour blindness; white stands out on both.
const AGREES: [f64; 3] = [86.0, 180.0, 255.0];
const DISAGREES: [f64; 3] = [255.0, 150.0, 30.0];
const FITTED: [f64; 3] = [255.0, 255.0, 255.0];
const FAINT: [f64; 3] = [120.0, 130.0, 140.0];

/// Draws `explanation` over `frame`, the earlier one, at any size; `lines` of text below it (ASCII).
pub fn sketch(explanation: &Explanation, frame: &Grey, lines: &[String]) -> Result<Sketch, Error> {
    let height = (f64::from(WIDTH) * explanation.size[1] / explanation.size[0]).round().max(1.0) as i32;
    let mut canvas = Canvas::new(frame, height, lines.len() as i32 + 1, explanation)?;
    canvas.cells(explanation)?;
    canvas.field(explanation)?;
    canvas.points(explanation)?;
    canvas.key()?;
    for (number, line) in lines.iter().enumerate() {
        canvas.text(line, 12, height + LINE * (number as i32 + 2) - 8, FITTED)?;
    }
    let (width, height) = (canvas.mat.cols() as u32, canvas.mat.rows() as u32);
    Ok(Sketch { width, height, rgb: canvas.mat.data_bytes()?.to_vec() })
}

/// How many times its length a motion is drawn.
fn magnification(explanation: &Explanation, scale: f64) -> f64 {
    let agreeing = explanation.points.iter().filter(|point| point.agrees);
    let length = agreeing.map(|point| (point.to[0] - point.from[0]).hypot(point.to[1] - point.from[1]) * scale);
    let longest = length.fold(1e-6_f64, f64::max);
    (LONGEST / longest).clamp(1.0, MAGNIFY).round()
}

struct Canvas {
    mat: Mat,
    /// Height of the frame in it.
    height: i32,
    /// Its pixels a full-size pixel.
    scale: f64,
    magnify: f64,
}

impl Canvas {
    /// The frame, at a brightness to draw on, and room for some lines below it.
    fn new(frame: &Grey, height: i32, lines: i32, explanation: &Explanation) -> Result<Self, Error> {
        let scale = f64::from(WIDTH) / explanation.size[0];
        let size = Size::new(WIDTH, height);
        let (mut scaled, mut dark, mut coloured) = (Mat::default(), Mat::default(), Mat::default());
        imgproc::resize(&door::pixels(frame)?, &mut scaled, size, 0.0, 0.0, imgproc::INTER_AREA)?;
        let mean = core::mean_def(&scaled)?[0].max(1.0);
        scaled.convert_to(&mut dark, core::CV_8U, (BRIGHTNESS / mean).min(BRIGHTEN), 0.0)?;
        imgproc::cvt_color_def(&dark, &mut coloured, imgproc::COLOR_GRAY2RGB)?;
        let mut mat = Mat::default();
        let (below, background) = (lines * LINE + 12, Scalar::new(24.0, 29.0, 34.0, 0.0));
        core::copy_make_border(&coloured, &mut mat, 0, below, 0, 0, core::BORDER_CONSTANT, background)?;
        Ok(Self { mat, height, scale, magnify: magnification(explanation, scale) })
    }

    fn at(&self, [x, y]: [f64; 2]) -> Point {
        Point::new((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    /// The cells that have points, in the colour of what they say.
    fn cells(&mut self, explanation: &Explanation) -> Result<(), Error> {
        let [columns, rows] = Explanation::GRID.map(|count| count as i32);
        for (number, cell) in explanation.cells.iter().enumerate() {
            let (column, row) = (number as i32 % columns, number as i32 / columns);
            let (left, top) = (column * WIDTH / columns, row * self.height / rows);
            let (right, bottom) = ((column + 1) * WIDTH / columns, (row + 1) * self.height / rows);
            let (colour, wide) = match (cell.points, cell.agrees()) {
                (0, _) => (FAINT, 1),
                (_, true) => (AGREES, 1),
                (_, false) => (DISAGREES, 2),
            };
            let inner = Rect::new(left + 2, top + 2, right - left - 4, bottom - top - 4);
            imgproc::rectangle(&mut self.mat, inner, scalar(colour), wide, imgproc::LINE_AA, 0)?;
            let votes = format!("{}/{}", cell.agreeing, cell.points);
            let font = imgproc::FONT_HERSHEY_SIMPLEX;
            let place = Point::new(left + 7, top + 18);
            imgproc::put_text(&mut self.mat, &votes, place, font, 0.42, scalar(colour), 1, imgproc::LINE_AA, false)?;
        }
        Ok(())
    }

    /// What the fitted motion says of points all over the picture.
    fn field(&mut self, explanation: &Explanation) -> Result<(), Error> {
        let [width, height] = explanation.size;
        let step = width / f64::from(FIELD);
        for row in 0..(height / step).ceil() as i32 {
            for column in 0..FIELD {
                let [x, y] = [column, row].map(|at| (f64::from(at) + 0.5) * step);
                let [dx, dy] = explanation.estimate.similarity.displacement(x - width / 2.0, y - height / 2.0);
                self.arrow([x, y], [x + dx, y + dy], FITTED, 1)?;
            }
        }
        Ok(())
    }

    fn points(&mut self, explanation: &Explanation) -> Result<(), Error> {
        for point in &explanation.points {
            self.arrow(point.from, point.to, if point.agrees { AGREES } else { DISAGREES }, 2)?;
        }
        Ok(())
    }

    /// A motion, magnified, with a dot where it begins.
    fn arrow(&mut self, from: [f64; 2], to: [f64; 2], colour: [f64; 3], wide: i32) -> Result<(), Error> {
        let end = [from[0] + (to[0] - from[0]) * self.magnify, from[1] + (to[1] - from[1]) * self.magnify];
        let (start, end, colour) = (self.at(from), self.at(end), scalar(colour));
        if start.y >= self.height {
            return Ok(());
        }
        imgproc::line(&mut self.mat, start, end, colour, wide, imgproc::LINE_AA, 0)?;
        Ok(imgproc::circle(&mut self.mat, start, 2, colour, imgproc::FILLED, imgproc::LINE_AA, 0)?)
    }

    fn key(&mut self) -> Result<(), Error> {
        let y = self.height + LINE - 4;
        let times = self.magnify;
        self.text("points that agree", 12, y, AGREES)?;
        self.text("points that do not", 212, y, DISAGREES)?;
        self.text("fitted motion", 422, y, FITTED)?;
        let text = format!("dot: where a point was; line: its motion x{times}; a cell: agreeing/all points");
        self.text(&text, 582, y, FAINT)
    }

    fn text(&mut self, text: &str, x: i32, y: i32, colour: [f64; 3]) -> Result<(), Error> {
        let (font, place) = (imgproc::FONT_HERSHEY_SIMPLEX, Point::new(x, y));
        Ok(imgproc::put_text(&mut self.mat, text, place, font, 0.52, scalar(colour), 1, imgproc::LINE_AA, false)?)
    }
}

fn scalar([red, green, blue]: [f64; 3]) -> Scalar {
    Scalar::new(red, green, blue, 0.0)
}
