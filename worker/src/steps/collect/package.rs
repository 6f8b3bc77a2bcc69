//! `datapackage.json`: what the tables are, for the tools of Frictionless Data (the data package standard, version 1).

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::tables::{MOVIE_COLUMNS, MOVIE_METADATA_CSV, REGION_COLUMNS, REGIONS_CSV, Written};

/// The description of the tables.
pub const PACKAGE: &str = "datapackage.json";

/// A data package.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Package {
    /// What kind of package it is.
    profile: &'static str,
    /// The AnalysisJob's name.
    name: String,
    /// A line on it.
    title: String,
    /// The tables.
    resources: Vec<Resource>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Resource {
    /// What kind of resource it is.
    profile: &'static str,
    /// Its name.
    name: &'static str,
    /// Its file, beside this one.
    path: &'static str,
    /// A line on it.
    description: &'static str,
    /// Of the file.
    format: &'static str,
    /// Of the file.
    mediatype: &'static str,
    /// Of the file.
    encoding: &'static str,
    /// The file's size.
    bytes: usize,
    /// `sha256:…` of the file.
    hash: String,
    /// Its columns.
    schema: TableSchema,
}

/// Columns of a table.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TableSchema {
    /// In the file's order.
    fields: Vec<Field>,
    /// What stands for nothing.
    missing_values: [&'static str; 1],
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Field {
    /// Its name.
    name: &'static str,
    /// What it holds.
    #[serde(rename = "type")]
    kind: &'static str,
    /// How it is written, where the type leaves that open.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    /// What it means, with its unit.
    description: &'static str,
}

/// The package of the tables as they stand.
pub fn package(name: &str, tables: &Written) -> Package {
    let regions = "stretches of a movie in which the camera stands still";
    let movies = "the movies that have a result";
    Package {
        profile: "tabular-data-package",
        name: name.to_owned(),
        title: format!("Camera motion of {name}"),
        resources: vec![
            resource("regions", REGIONS_CSV, regions, &tables.regions, &REGION_COLUMNS),
            resource("movie_metadata", MOVIE_METADATA_CSV, movies, &tables.movies, &MOVIE_COLUMNS),
        ],
    }
}

fn resource(
    name: &'static str,
    path: &'static str,
    description: &'static str,
    content: &[u8],
    columns: &[&'static str],
) -> Resource {
    let hash = Sha256::digest(content).iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"));
    Resource {
        profile: "tabular-data-resource",
        name,
        path,
        description,
        format: "csv",
        mediatype: "text/csv",
        encoding: "utf-8",
        bytes: content.len(),
        hash,
        schema: TableSchema { fields: columns.iter().map(|name| field(name)).collect(), missing_values: [""] },
    }
}

fn field(name: &'static str) -> Field {
    let (kind, description) = match name {
        "mov_basename" => ("string", "name of the movie's file, without its ending"),
        "date_time" => ("datetime", "begin of the movie in UTC, from its name; empty where the name holds none"),
        "start_frame" => ("integer", "first frame of the region, counted from 1"),
        "end_frame" => ("integer", "last frame of the region, counted from 1"),
        "scene_tag" => ("string", "what the camera looks at; unknown until somebody tags it"),
        "num_frames" => ("integer", "number of frames"),
        "duration" => ("number", "length in seconds"),
        "file_size" => ("integer", "size of the movie's file in bytes; empty for results that do not record it"),
        "path" => ("string", "path of the movie below the archive's root"),
        "static_share" => ("number", "share of the frames in static regions, 0-1"),
        _ => ("number", "share of the rows whose motion is not determined, 0-1"),
    };
    Field { name, kind, format: (kind == "datetime").then_some("%Y-%m-%dT%H:%M:%S"), description }
}
