//! Contributions as lines with bars.

use super::visible::Shown;
use crate::product::ContributionLine;
use habitus_model::math::round_to;

/// Width of the drawing; the middle is 0.
const WIDTH: f64 = 240.0;
/// A bar that is there can be seen.
const NARROWEST: f64 = 1.0;

/// One contribution.
#[derive(Debug, PartialEq)]
pub(super) struct Bar {
    pub signal: Shown,
    pub text: Shown,
    /// With a sign: `+27.0`.
    pub points: String,
    /// Whether it speaks for an attacker.
    pub raises: bool,
    /// Left end and width of the bar.
    pub x: f64,
    pub width: f64,
}

/// Bars on one scale: the longest reaches the edge. The order stays.
pub(super) fn bars(lines: &[ContributionLine]) -> Vec<Bar> {
    let longest = lines.iter().map(|line| line.points.abs()).fold(0.0, f64::max);
    lines.iter().map(|line| bar(line, longest)).collect()
}

fn bar(line: &ContributionLine, longest: f64) -> Bar {
    let middle = WIDTH / 2.0;
    let share = if longest > 0.0 {
        line.points.abs() / longest
    } else {
        0.0
    };
    let width = round_to((share * middle).max(NARROWEST), 1);
    let raises = line.points > 0.0;
    Bar {
        signal: Shown::new(&line.signal.replace('_', " ")),
        text: Shown::new(&line.text),
        points: signed(line.points),
        raises,
        x: if raises {
            middle
        } else {
            round_to(middle - width, 1)
        },
        width,
    }
}

/// With a real minus sign, so that it is as wide as the plus.
pub(super) fn signed(points: f64) -> String {
    let points = round_to(points, 1);
    if points > 0.0 {
        format!("+{points:.1}")
    } else if points < 0.0 {
        format!("−{:.1}", points.abs())
    } else {
        "0.0".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_goes_right_and_lowering_left() {
        let line = |points: f64| ContributionLine {
            signal: "new_country".to_owned(),
            log_odds: points,
            points,
            text: String::new(),
        };
        let bars = bars(&[line(20.0), line(-10.0), line(0.0)]);
        assert_eq!(
            (bars[0].x, bars[0].width, bars[0].points.as_str()),
            (120.0, 120.0, "+20.0")
        );
        assert_eq!(
            (bars[1].x, bars[1].width, bars[1].points.as_str()),
            (60.0, 60.0, "−10.0")
        );
        assert_eq!(bars[2].points, "0.0");
    }
}
