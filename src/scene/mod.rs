//! Paints a draw list on a canvas, in device pixels, shapes of one colour together. Decides nothing about what is seen.

use crate::view::draw_list::{Anchor, DrawList, Font, Ink, Painted, Shape, Stroke};
use crate::view::geometry::{Path, Point, Rect};
use std::collections::BTreeMap;
use std::f64::consts::TAU;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, Window};

const FAMILY: &str = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans KR', 'Noto Sans CJK KR', 'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif";

/// A canvas with its colours.
pub(crate) struct Painter {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    window: Window,
    colours: BTreeMap<Ink, String>,
    fonts: BTreeMap<Font, String>,
}

impl Painter {
    /// For that canvas; nothing if the browser gives no drawing context.
    pub(crate) fn new(canvas: HtmlCanvasElement, window: Window) -> Option<Painter> {
        let context = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
        let fonts = [Font::Title, Font::Body, Font::Small, Font::Tiny].map(|font| (font, css_font(font)));
        let mut painter = Painter { canvas, context, window, colours: BTreeMap::new(), fonts: fonts.into() };
        painter.read_colours();
        Some(painter)
    }

    /// Takes the colours of the present theme from the style sheet.
    pub(crate) fn read_colours(&mut self) {
        let style = self.window.get_computed_style(&self.canvas).ok().flatten();
        let colour_of = |ink: Ink| {
            let value = style.as_ref().and_then(|style| style.get_property_value(ink.property()).ok());
            value.map_or_else(|| "gray".to_owned(), |value| value.trim().to_owned())
        };
        self.colours = Ink::ALL.into_iter().map(|ink| (ink, colour_of(ink))).collect();
    }

    /// The width that the page gives the canvas, in CSS pixels.
    pub(crate) fn width(&self) -> f64 {
        f64::from(self.canvas.client_width())
    }

    pub(crate) fn device_pixel_ratio(&self) -> f64 {
        self.window.device_pixel_ratio()
    }

    /// Shows a hand where a click does something.
    pub(crate) fn point_at(&self, is_target: bool) {
        self.set_style("cursor", if is_target { "pointer" } else { "default" });
    }

    /// Paints everything anew, on a canvas that high.
    pub(crate) fn paint(&self, list: &DrawList, height: f64) {
        self.fit(height);
        for layer in &list.layers {
            self.paint_layer(layer);
        }
    }

    /// Makes the canvas as many device pixels large as it covers, and clears it.
    fn fit(&self, height: f64) {
        let ratio = self.device_pixel_ratio();
        let (width, height_pixels) = ((self.width() * ratio).round() as u32, (height * ratio).round() as u32);
        if self.canvas.width() != width || self.canvas.height() != height_pixels {
            self.canvas.set_width(width);
            self.canvas.set_height(height_pixels);
            self.set_style("height", &format!("{height}px"));
        }
        // Only a ratio that is no number could fail here.
        self.context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0).expect("the ratio is a number");
        self.context.clear_rect(0.0, 0.0, self.width(), height);
        self.context.set_text_baseline("middle");
    }

    fn set_style(&self, property: &str, value: &str) {
        self.canvas.style().set_property(property, value).expect("the property exists");
    }

    fn paint_layer(&self, layer: &[Painted]) {
        let mut batches: BTreeMap<(Brush, Ink), Vec<&Shape>> = BTreeMap::new();
        for painted in layer {
            batches.entry((Brush::of(&painted.shape), painted.ink)).or_default().push(&painted.shape);
        }
        for ((brush, ink), shapes) in batches {
            self.paint_batch(brush, &self.colours[&ink], &shapes);
        }
    }

    fn paint_batch(&self, brush: Brush, colour: &str, shapes: &[&Shape]) {
        let context = &self.context;
        match brush {
            Brush::Fill => {
                context.set_fill_style_str(colour);
                self.trace_all(shapes);
                context.fill();
            }
            Brush::Stroke(stroke) => {
                self.set_stroke(stroke, colour);
                self.trace_all(shapes);
                context.stroke();
            }
            Brush::Text(font) => {
                context.set_fill_style_str(colour);
                context.set_font(&self.fonts[&font]);
                shapes.iter().for_each(|shape| self.write(shape));
            }
        }
    }

    fn set_stroke(&self, stroke: Stroke, colour: &str) {
        let (width, dashes) = match stroke {
            Stroke::Thin => (1.0, Vec::new()),
            Stroke::Thick => (2.0, Vec::new()),
            Stroke::Dashed => (1.5, vec![5.0, 4.0]),
        };
        self.context.set_stroke_style_str(colour);
        self.context.set_line_width(width);
        let dashes: js_sys::Array = dashes.into_iter().map(wasm_bindgen::JsValue::from_f64).collect();
        self.context.set_line_dash(&dashes).expect("dashes are positive numbers");
    }

    fn trace_all(&self, shapes: &[&Shape]) {
        self.context.begin_path();
        shapes.iter().for_each(|shape| self.trace(shape));
    }

    fn trace(&self, shape: &Shape) {
        match shape {
            Shape::Fill { rect, radius } | Shape::Outline { rect, radius, .. } => self.trace_rect(*rect, *radius),
            Shape::Line { path, .. } => self.trace_path(path),
            Shape::Disc { center, radius } | Shape::Ring { center, radius } => self.trace_circle(*center, *radius),
            Shape::Pointer { tip } => self.trace_pointer(*tip),
            Shape::Text { .. } => {}
        }
    }

    fn trace_rect(&self, rect: Rect, radius: f64) {
        let Rect { x, y, width, height } = rect;
        self.context.round_rect_with_f64(x, y, width, height, radius).expect("sizes are positive numbers");
    }

    fn trace_path(&self, path: &Path) {
        let points = path.points();
        self.context.move_to(points[0].x, points[0].y);
        points[1..].iter().for_each(|point| self.context.line_to(point.x, point.y));
    }

    fn trace_circle(&self, center: Point, radius: f64) {
        self.context.move_to(center.x + radius, center.y);
        self.context.arc(center.x, center.y, radius, 0.0, TAU).expect("radii are positive");
    }

    fn trace_pointer(&self, tip: Point) {
        const HALF: f64 = 4.0;
        self.context.move_to(tip.x, tip.y);
        self.context.line_to(tip.x - HALF, tip.y - 7.0);
        self.context.line_to(tip.x + HALF, tip.y - 7.0);
        self.context.close_path();
    }

    fn write(&self, shape: &Shape) {
        let Shape::Text { at, anchor, text, .. } = shape else { return };
        self.context.set_text_align(match anchor {
            Anchor::Start => "left",
            Anchor::Middle => "center",
            Anchor::End => "right",
        });
        self.context.fill_text(text, at.x, at.y).expect("text can be written anywhere");
    }
}

/// What shapes must share to be painted together, in the order of painting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Brush {
    Fill,
    Stroke(Stroke),
    Text(Font),
}

impl Brush {
    fn of(shape: &Shape) -> Brush {
        match shape {
            Shape::Fill { .. } | Shape::Disc { .. } | Shape::Pointer { .. } => Brush::Fill,
            Shape::Outline { stroke, .. } | Shape::Line { stroke, .. } => Brush::Stroke(*stroke),
            Shape::Ring { .. } => Brush::Stroke(Stroke::Thick),
            Shape::Text { font, .. } => Brush::Text(*font),
        }
    }
}

fn css_font(font: Font) -> String {
    let weight = if font.is_bold() { "600 " } else { "" };
    format!("{weight}{}px {FAMILY}", font.size())
}
