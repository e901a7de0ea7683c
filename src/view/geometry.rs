//! Points and rectangles on the canvas, in CSS pixels.

/// A place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

/// An upright rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A way along straight pieces; a message is on it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    points: Vec<Point>,
}

impl Point {
    pub(crate) fn new(x: f64, y: f64) -> Point {
        Point { x, y }
    }

    fn distance(self, other: Point) -> f64 {
        ((self.x - other.x).powi(2) + (self.y - other.y).powi(2)).sqrt()
    }

    fn toward(self, other: Point, fraction: f64) -> Point {
        Point::new(self.x + (other.x - self.x) * fraction, self.y + (other.y - self.y) * fraction)
    }
}

impl Rect {
    pub(crate) fn new(x: f64, y: f64, width: f64, height: f64) -> Rect {
        Rect { x, y, width, height }
    }

    /// A square around a point.
    pub(crate) fn around(center: Point, reach: f64) -> Rect {
        Rect::new(center.x - reach, center.y - reach, 2.0 * reach, 2.0 * reach)
    }

    pub(crate) fn right(self) -> f64 {
        self.x + self.width
    }

    pub(crate) fn bottom(self) -> f64 {
        self.y + self.height
    }

    pub(crate) fn center(self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    pub(crate) fn contains(self, point: Point) -> bool {
        (self.x..=self.right()).contains(&point.x) && (self.y..=self.bottom()).contains(&point.y)
    }

    /// Grown by so much on each side.
    pub(crate) fn grown(self, by: f64) -> Rect {
        Rect::new(self.x - by, self.y - by, self.width + 2.0 * by, self.height + 2.0 * by)
    }
}

impl Path {
    /// Through these points, of which there must be at least two.
    pub(crate) fn through(points: Vec<Point>) -> Path {
        assert!(points.len() >= 2, "a path has a beginning and an end");
        Path { points }
    }

    /// A quadratic curve, in pieces short enough to look round.
    pub(crate) fn curve(from: Point, control: Point, to: Point) -> Path {
        const PIECES: i32 = 20;
        let point_at = |piece: i32| {
            let fraction = f64::from(piece) / f64::from(PIECES);
            from.toward(control, fraction).toward(control.toward(to, fraction), fraction)
        };
        Path { points: (0..=PIECES).map(point_at).collect() }
    }

    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// The place after that fraction (0 to 1) of the way.
    pub(crate) fn at(&self, fraction: f64) -> Point {
        let mut left = self.length() * fraction.clamp(0.0, 1.0);
        for pair in self.points.windows(2) {
            let length = pair[0].distance(pair[1]);
            if left <= length && length > 0.0 {
                return pair[0].toward(pair[1], left / length);
            }
            left -= length;
        }
        self.points[self.points.len() - 1]
    }

    fn length(&self) -> f64 {
        self.points.windows(2).map(|pair| pair[0].distance(pair[1])).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_a_path_is_measured_by_length() {
        let path = Path::through(vec![Point::new(0.0, 0.0), Point::new(30.0, 0.0), Point::new(30.0, 10.0)]);
        for (fraction, x, y) in
            [(-1.0, 0.0, 0.0), (0.5, 20.0, 0.0), (0.75, 30.0, 0.0), (1.0, 30.0, 10.0), (2.0, 30.0, 10.0)]
        {
            assert_eq!(path.at(fraction), Point::new(x, y));
        }
    }

    #[test]
    fn a_curve_begins_and_ends_where_it_should() {
        let (from, to) = (Point::new(1.0, 2.0), Point::new(9.0, 8.0));
        let path = Path::curve(from, Point::new(-50.0, 5.0), to);
        assert!(path.at(0.0).distance(from) < 1e-9 && path.at(1.0).distance(to) < 1e-9);
        assert!(path.at(0.5).x < 0.0);
    }
}
