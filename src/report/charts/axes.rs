//! The frame of charts with curves: a legend, two logarithmic axes, and what the lower one shows.

use super::canvas::{Canvas, INK, WIDTH, label, legend, text};
use super::scale::Scale;
use plotters::backend::SVGBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

/// Pixels left of the drawing, for the labels of the vertical axis.
const LEFT: i32 = 76;

type Axes<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Scale, Scale>>;

/// Draws the frame on a canvas of `height` pixels with `right` of them free on that side.
pub(super) fn axes<'a, 'b>(
    canvas: &'a Canvas<'b>,
    entries: &[(RGBColor, String)],
    (x, y): (Scale, Scale),
    (height, right): (i32, i32),
    caption: &str,
) -> Result<Axes<'a, 'b>, DrawingAreaErrorKind<std::io::Error>> {
    let used = legend(canvas, (LEFT, 6), entries)?;
    let (write_x, write_y) = (x.label, y.label);
    let mut chart = ChartBuilder::on(canvas)
        .margin_top(used + 10)
        .margin_right(right)
        .x_label_area_size(54)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .bold_line_style(INK.mix(0.15))
        .light_line_style(INK.mix(0.0))
        .axis_style(INK.mix(0.5))
        .x_label_style(text(&INK, HPos::Center, VPos::Top))
        .y_label_style(text(&INK, HPos::Right, VPos::Center))
        .x_label_formatter(&|v| write_x(*v))
        .y_label_formatter(&|v| write_y(*v))
        .draw()?;
    let middle = LEFT + (WIDTH - LEFT - right) / 2;
    label(
        canvas,
        caption,
        (middle, height - 8),
        &text(&INK.mix(0.75), HPos::Center, VPos::Bottom),
    )?;
    Ok(chart)
}
