//! Charts of the results, as SVG.
//!
//! Lines on logarithmic axes where something grows: calls with the depth of their chain, compiling
//! with the size of its input. Bars where a table is a list of ratios.

use crate::report::{Results, Row, Table};
use plotters::coord::ranged1d::IntoSegmentedCoord;
use plotters::prelude::*;

const SIZE: (u32, u32) = (720, 400);
/// One colour for each column of a table, ours first.
const COLOURS: &[RGBColor] = &[
    RGBColor(0x0b, 0x6e, 0x4f),
    RGBColor(0xc8, 0x55, 0x3d),
    RGBColor(0xe0, 0xa0, 0x30),
    RGBColor(0x4a, 0x6f, 0xa5),
];

/// The cases whose calls are drawn over the depth of the chain.
const DEPTH_CASES: &[&str] = &["scalar", "rec10", "str16", "resmethod"];
/// The inputs whose compilation is drawn over their size, and what their number counts.
const GROWTH_CASES: &[(&str, &str)] = &[
    ("chain", "components in a chain"),
    ("instances", "component instances"),
    ("functions", "functions in one module"),
];

/// A named line.
struct Line {
    title: String,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// The charts of a group: names and SVG.
pub fn draw_charts(results: &Results) -> Result<Vec<(String, String)>, String> {
    let mut charts = Vec::new();
    for table in &results.tables {
        match table.name.as_str() {
            "calls" => {
                for case in DEPTH_CASES {
                    let lines = lines_of(table, |row| depth_of(row, case));
                    let title = format!("{case}: nanoseconds per call");
                    let axis = "hops (virtualizers in the chain, and the last)";
                    charts.push((format!("calls-{case}"), draw_lines(&title, axis, &lines)?));
                }
            }
            "growth" => {
                for (case, axis) in GROWTH_CASES {
                    let lines = lines_of(table, |row| number_of(row, case));
                    let title = "compiling: milliseconds of processor time";
                    charts.push((format!("growth-{case}"), draw_lines(title, axis, &lines)?));
                }
            }
            "kernels" | "sightglass" if !table.rows.is_empty() => {
                let title = format!("{}: speed against wasmtime", table.name);
                charts.push((table.name.clone(), draw_bars(&title, table)?));
            }
            _ => {}
        }
    }
    Ok(charts)
}

/// The number of hops of a row of that case: a chain without virtualizers has one.
fn depth_of(row: &Row, case: &str) -> Option<f64> {
    let depth = row.case.strip_prefix(case)?.strip_prefix("-d")?;
    Some(depth.parse::<f64>().ok()? + 1.0)
}

fn number_of(row: &Row, case: &str) -> Option<f64> {
    row.case.strip_prefix(case)?.strip_prefix('-')?.parse().ok()
}

/// A line for each column, over the rows that have a place on the axis.
fn lines_of(table: &Table, place: impl Fn(&Row) -> Option<f64>) -> Vec<Line> {
    let columns = table.rows.first().map_or(0, |row| row.figures.len());
    let line = |at: usize| {
        let point = |row: &Row| {
            let measured = row.figures.get(at)?.measured.as_ref().ok()?;
            Some((place(row)?, measured.best))
        };
        Line {
            title: table.rows[0].figures[at].who.clone(),
            colour: COLOURS[at % COLOURS.len()],
            points: table.rows.iter().filter_map(point).collect(),
        }
    };
    (0..columns).map(line).filter(|line| !line.points.is_empty()).collect()
}

/// The least and the greatest, with a little room.
fn range_of(values: impl Iterator<Item = f64> + Clone) -> std::ops::Range<f64> {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let greatest = values.fold(0.0, f64::max);
    least / 1.5..greatest * 1.5
}

fn draw_lines(title: &str, axis: &str, lines: &[Line]) -> Result<String, String> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let fail = |error: &dyn std::fmt::Debug| format!("{title}: {error:?}");
        area.fill(&WHITE).map_err(|error| fail(&error))?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(
                range_of(points().map(|point| point.0)).log_scale(),
                range_of(points().map(|point| point.1)).log_scale(),
            )
            .map_err(|error| fail(&error))?;
        chart
            .configure_mesh()
            .x_desc(axis)
            .light_line_style(WHITE)
            .bold_line_style(RGBColor(0xdd, 0xdd, 0xdd))
            .draw()
            .map_err(|error| fail(&error))?;
        for Line { title, colour, points } in lines {
            let colour = *colour;
            let line = LineSeries::new(points.iter().copied(), colour.stroke_width(2));
            let drawn = chart.draw_series(line).map_err(|error| fail(&error))?;
            drawn.label(title).legend(move |(x, y)| {
                PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2))
            });
            let dots = points.iter().map(|point| Circle::new(*point, 3, colour.filled()));
            chart.draw_series(dots).map_err(|error| fail(&error))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()
            .map_err(|error| fail(&error))?;
        area.present().map_err(|error| fail(&error))?;
    }
    Ok(svg)
}

/// A bar for each row: how many times as fast as the first peer.
fn draw_bars(title: &str, table: &Table) -> Result<String, String> {
    let bars: Vec<(&str, f64)> =
        table.rows.iter().filter_map(|row| Some((row.case.as_str(), row.ratio(1)?))).collect();
    let most = bars.iter().map(|(_, ratio)| *ratio).fold(1.0, f64::max);
    let height = 90 + 22 * bars.len() as u32;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (SIZE.0, height)).into_drawing_area();
        let fail = |error: &dyn std::fmt::Debug| format!("{title}: {error:?}");
        area.fill(&WHITE).map_err(|error| fail(&error))?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(28)
            .y_label_area_size(210)
            .build_cartesian_2d(0.0..most * 1.1, (0..bars.len().max(1) - 1).into_segmented())
            .map_err(|error| fail(&error))?;
        let name = |at: &SegmentValue<usize>| match at {
            SegmentValue::CenterOf(at) => bars
                .get(*at)
                .map_or_else(String::new, |(case, ratio)| format!("{case} {ratio:.2}x")),
            _ => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(bars.len())
            .y_label_formatter(&name)
            .light_line_style(WHITE)
            .draw()
            .map_err(|error| fail(&error))?;
        let bar = |(at, (_, ratio)): (usize, &(&str, f64))| {
            let corners = [(0.0, SegmentValue::Exact(at)), (*ratio, SegmentValue::Exact(at + 1))];
            let mut bar = Rectangle::new(corners, COLOURS[0].filled());
            bar.set_margin(4, 4, 0, 0);
            bar
        };
        chart.draw_series(bars.iter().enumerate().map(bar)).map_err(|error| fail(&error))?;
        let even = [(1.0, SegmentValue::Exact(0)), (1.0, SegmentValue::Exact(bars.len()))];
        let even = PathElement::new(even, COLOURS[1].stroke_width(2));
        chart.draw_series([even]).map_err(|error| fail(&error))?;
        area.present().map_err(|error| fail(&error))?;
    }
    Ok(svg)
}
