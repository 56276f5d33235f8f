//! What all charts share: the drawing surface, tooltips, the frame of a file, the table of the data.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBColor, TextStyle};
use std::fmt::Write;

/// Width of every chart in pixels.
pub(super) const WIDTH: i32 = 720;
/// Size of text; the backend writes 1/1.24 of it.
pub(super) const TEXT: f64 = 16.0;
/// Pixels that a character takes, roughly.
pub(super) const CHARACTER: f64 = 7.0;

/// Written as `currentColor`.
pub(super) const INK: RGBColor = RGBColor(1, 2, 3);
pub(super) const BLUE: RGBColor = RGBColor(0x2f, 0x7f, 0xc1);
pub(super) const GREEN: RGBColor = RGBColor(0x00, 0x9e, 0x73);
pub(super) const ORANGE: RGBColor = RGBColor(0xc9, 0x85, 0x00);
pub(super) const RED: RGBColor = RGBColor(0xd5, 0x5e, 0x00);
pub(super) const PURPLE: RGBColor = RGBColor(0xb8, 0x60, 0x9a);
pub(super) const GREY: RGBColor = RGBColor(0x7a, 0x86, 0x94);

pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// A table: the data behind a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Names of the columns.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// The stem of its file.
    pub name: &'static str,
    /// Its message.
    pub title: String,
    /// Unit, number behind it, intervals.
    pub note: String,
    /// The data.
    pub table: Table,
    height: i32,
    body: String,
}

impl Chart {
    /// Draws a chart of `height` pixels.
    ///
    /// # Panics
    /// Never: drawing to a string cannot fail.
    pub(super) fn draw(
        name: &'static str,
        title: String,
        note: String,
        table: Table,
        height: i32,
        draw: impl FnOnce(&Canvas<'_>, &mut Hits) -> Drawn,
    ) -> Self {
        let mut svg = String::new();
        let mut hits = Hits::default();
        {
            let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            draw(&root, &mut hits)
                .and_then(|()| root.present())
                .expect("drawing to a string cannot fail");
        }
        // The frame is ours, so that a page and a file can have different ones.
        let start = svg
            .find("<svg")
            .and_then(|at| Some(at + svg[at..].find('>')? + 1));
        let end = svg.rfind("</svg>");
        let inner = start
            .zip(end)
            .map_or("", |(start, end)| svg[start..end].trim());
        let body = inner
            .replace("\"#010203\"", "\"currentColor\"")
            .replace(" opacity=\"1\"", "")
            + &hits.0;
        Self {
            name,
            title,
            note,
            table,
            height,
            body,
        }
    }

    /// For a page that shows the title and the note itself.
    pub fn inline(&self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" \
             aria-label=\"{}\">{}</svg>",
            self.height,
            escaped(&self.label()),
            self.body
        )
    }

    /// A file of its own, with title and note, for light and dark surroundings.
    pub fn standalone(&self) -> String {
        let room = (f64::from(WIDTH) / CHARACTER) as usize - 4;
        let title = wrapped(&self.title, room - 8);
        let note = wrapped(&self.note, room + 4);
        let mut text = String::new();
        let mut y = 8;
        for (lines, style, step) in [
            (&title, "font-weight=\"bold\" font-size=\"15\"", 20),
            (&note, "font-size=\"12\" opacity=\"0.75\"", 16),
        ] {
            for line in lines {
                y += step;
                let _ = write!(
                    text,
                    "<text x=\"12\" y=\"{y}\" fill=\"currentColor\" font-family=\"sans-serif\" {style}>{}</text>",
                    escaped(line)
                );
            }
        }
        y += 10;
        let height = self.height + y;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\
             <style>svg{{color:#1f2328}}@media(prefers-color-scheme:dark){{svg{{color:#e6edf3}}}}</style>\
             {text}<g transform=\"translate(0,{y})\">{}</g></svg>\n",
            escaped(&self.label()),
            self.body
        )
    }

    fn label(&self) -> String {
        format!("{}. {}", self.title, self.note)
    }
}

/// Shapes without colour over a drawing, each with a tooltip.
#[derive(Debug, Default)]
pub(super) struct Hits(String);

impl Hits {
    /// A tooltip on the rectangle from `(x0, y0)` to `(x1, y1)`.
    pub(super) fn area(&mut self, (x0, y0): (i32, i32), (x1, y1): (i32, i32), tooltip: &str) {
        let _ = write!(
            self.0,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"transparent\"><title>{}</title></rect>",
            x0.min(x1),
            y0.min(y1),
            (x1 - x0).abs().max(1),
            (y1 - y0).abs().max(1),
            escaped(tooltip)
        );
    }

    /// A tooltip around a point.
    pub(super) fn point(&mut self, (x, y): (i32, i32), tooltip: &str) {
        self.area((x - 9, y - 9), (x + 9, y + 9), tooltip);
    }
}

/// Text of one colour, placed by one of its ends or its middle.
pub(super) fn text(colour: &impl Color, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    ("sans-serif", TEXT)
        .into_font()
        .color(&colour.to_rgba())
        .pos(Pos::new(horizontal, vertical))
}

/// Draws `words`.
pub(super) fn label(
    canvas: &Canvas<'_>,
    words: &str,
    at: (i32, i32),
    style: &TextStyle<'_>,
) -> Drawn {
    canvas.draw(&Text::new(words.to_owned(), at, style.clone()))
}

/// Coloured squares with words, in lines of the width of the chart; gives the height used.
pub(super) fn legend(
    canvas: &Canvas<'_>,
    (left, top): (i32, i32),
    entries: &[(RGBColor, String)],
) -> Result<i32, DrawingAreaErrorKind<std::io::Error>> {
    let style = text(&INK, HPos::Left, VPos::Center);
    let (mut x, mut y) = (left, top);
    for (colour, words) in entries {
        let width = 18 + (words.chars().count() as f64 * CHARACTER) as i32 + 16;
        if x > left && x + width > WIDTH {
            (x, y) = (left, y + 20);
        }
        canvas.draw(&Rectangle::new([(x, y), (x + 12, y + 12)], colour.filled()))?;
        label(canvas, words, (x + 18, y + 6), &style)?;
        x += width;
    }
    Ok(y + 20 - top)
}

/// Lines of at most about `width` characters, broken at blanks.
fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(super::super::clean::shortened(word, width)),
        }
    }
    lines
}

/// Text for XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_xml() {
        assert_eq!(escaped("<a b=\"c\">&"), "&lt;a b=&quot;c&quot;&gt;&amp;");
    }

    #[test]
    fn long_titles_are_broken_at_blanks() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
    }
}
