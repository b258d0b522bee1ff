//! Results as data: tables of figures, everyone of a row measured in the same run.

use serde::{Deserialize, Serialize};

/// What one program of a row took, or why it was not measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Who: `wasmelt`, `wasmtime`, `C`, ...
    pub who: String,
    /// The figure, or why there is none.
    pub measured: Result<Measured, String>,
}

/// A measured figure in the table's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The best of all rounds.
    pub best: f64,
    /// The worst of all rounds: the spread of the machine.
    pub worst: f64,
    /// Instructions, counted by callgrind, if it is there and they mean something.
    pub instructions: Option<f64>,
}

impl Measured {
    /// The figure of several rounds.
    pub fn of(rounds: impl IntoIterator<Item = f64>) -> Measured {
        let start = Measured { best: f64::INFINITY, worst: 0.0, instructions: None };
        rounds.into_iter().fold(start, |so_far, value| Measured {
            best: so_far.best.min(value),
            worst: so_far.worst.max(value),
            ..so_far
        })
    }
}

impl Figure {
    /// A measured figure.
    pub fn new(who: &str, measured: Measured) -> Figure {
        Figure { who: who.to_string(), measured: Ok(measured) }
    }

    /// A figure that is not there.
    pub fn absent(who: &str, why: impl Into<String>) -> Figure {
        Figure { who: who.to_string(), measured: Err(why.into()) }
    }
}

/// A case and everyone who ran it, ours first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The case's name.
    pub case: String,
    /// The figures, in the same order in each row of a table.
    pub figures: Vec<Figure>,
}

impl Row {
    /// How many times what we take this one takes.
    pub fn ratio(&self, who: usize) -> Option<f64> {
        let ours = self.figures.first()?.measured.as_ref().ok()?;
        let theirs = self.figures.get(who)?.measured.as_ref().ok()?;
        Some(theirs.best / ours.best)
    }
}

/// Rows of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name, by which documents refer to it.
    pub name: String,
    /// What a figure counts.
    pub unit: String,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// An empty table.
    pub fn new(name: &str, unit: &str) -> Table {
        Table { name: name.to_string(), unit: unit.to_string(), rows: Vec::new() }
    }

    /// The geometric mean of a column's ratios, over the rows that have both figures.
    pub fn mean_ratio(&self, who: usize) -> Option<f64> {
        let ratios: Vec<f64> = self.rows.iter().filter_map(|row| row.ratio(who)).collect();
        let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
        (!ratios.is_empty()).then(|| (sum / ratios.len() as f64).exp())
    }
}

/// The tables of one run of a group, and where that was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The group's name.
    pub group: String,
    /// When and on which machine.
    pub circumstances: String,
    /// The tables.
    pub tables: Vec<Table>,
}

impl Results {
    /// As JSON, a line for each value, so that differences can be read.
    pub fn to_json(&self) -> Result<String, String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        Ok(text + "\n")
    }

    /// From JSON.
    pub fn from_json(text: &str) -> Result<Results, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}
