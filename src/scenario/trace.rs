//! Traces of arrivals: a CSV file with the rate of requests in equal intervals, as a monitoring system
//! exports it.
//!
//! The first line names two columns: `time`, and one of `per_second`, `per_minute`, `per_hour` (a rate)
//! or `requests` (how many came in the interval). A time is a number of seconds or a date with a time of
//! day; only differences count. What stands beside a time holds from then until the next one, and the
//! last as long as the others. Times go up in equal steps: what is missing is a gap, and nobody can say
//! what came in it. Empty lines and lines that begin with `#` are passed over.

use super::limits;
use super::place::quoted;
use crate::time::{NANOS_PER_SEC, SimSpan};

/// A trace that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trace {
    /// Length of an interval.
    pub(super) step: SimSpan,
    /// Requests per second in each.
    pub(super) rates: Vec<f64>,
}

/// What is wrong with a trace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wrong {
    /// The line; `None` if it is the file as a whole.
    pub(super) line: Option<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

fn wrong<T>(line: usize, message: impl Into<String>, help: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong {
        line: Some(line),
        message: message.into(),
        help: help.into(),
    })
}

/// What the second column says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Column {
    /// So many requests in this many seconds.
    Rate(f64),
    /// So many requests in the interval.
    Count,
}

const COLUMNS: [(&str, Column); 4] = [
    ("per_second", Column::Rate(1.0)),
    ("per_minute", Column::Rate(60.0)),
    ("per_hour", Column::Rate(3_600.0)),
    ("requests", Column::Count),
];

const HEADER: &str = "the first line names the columns: `time` and one of `per_second`, `per_minute`, `per_hour` or `requests` (in the interval), such as `time,per_minute`";

/// Reads a trace.
pub(super) fn read(bytes: &[u8]) -> Result<Trace, Wrong> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let line = good.iter().filter(|&&byte| byte == b'\n').count() + 1;
            return wrong(line, "this is not text in UTF-8", "save it as CSV in UTF-8");
        }
    };
    let lines = text.lines().zip(1..).filter(|(line, _)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let mut rows = lines.map(|(line, number)| (cells(line), number));
    let Some((header, number)) = rows.next() else {
        return Err(Wrong {
            line: None,
            message: "the file is empty".into(),
            help: HEADER.into(),
        });
    };
    let (time, column, kind) = columns(&header, number)?;
    let mut values = Vec::new();
    let mut times: Option<(i128, i128)> = None;
    let (mut step, mut first_line) = (None, number);
    for (row, line) in rows {
        if values.len() == limits::TRACE_ROWS {
            let message = format!("the trace has more than {} rows", limits::TRACE_ROWS);
            return wrong(
                line,
                message,
                "use longer intervals, or a part of it that repeats",
            );
        }
        if row.len() != 2 {
            let message = format!("there are {} cells in this line, not 2", row.len());
            return wrong(
                line,
                message,
                "write a time and a number, such as `60,1250`",
            );
        }
        let at = instant(row[time]).map_or_else(
            || {
                wrong(
                    line,
                    format!("{} is no time", quoted(row[time])),
                    "write seconds, such as 3600, or a date with a time, such as 2024-05-06T08:30:00",
                )
            },
            Ok,
        )?;
        let value = number_of(row[column], line)?;
        match times {
            None => first_line = line,
            Some((_, last)) if at <= last => {
                let message = if at == last {
                    "this line has the same time as the one before"
                } else {
                    "this line has an earlier time than the one before"
                };
                return wrong(
                    line,
                    message,
                    "sort the lines by time, one for each interval",
                );
            }
            Some((_, last)) => {
                let long = at - last;
                let usual = *step.get_or_insert(long);
                if long != usual {
                    let what = if long > usual {
                        "gap"
                    } else {
                        "shorter interval"
                    };
                    return wrong(
                        line,
                        format!(
                            "a {what}: {} s since the line before, where others have {} s",
                            secs(long),
                            secs(usual)
                        ),
                        "all intervals of a trace are equally long; write what came in those that are missing, even if it is 0",
                    );
                }
            }
        }
        times = Some((times.map_or(at, |(first, _)| first), at));
        values.push((value, line));
    }
    let Some(step) = step else {
        return wrong(
            first_line,
            format!("the trace has {} rows", values.len()),
            "at least two are needed to know how long an interval is",
        );
    };
    let Ok(nanos) = u64::try_from(step) else {
        return wrong(
            first_line,
            "the intervals are longer than the clock of a simulation",
            "use shorter ones",
        );
    };
    let interval = step as f64 / NANOS_PER_SEC as f64;
    let mut rates = Vec::with_capacity(values.len());
    for (value, line) in values {
        let rate = match kind {
            Column::Rate(secs) => value / secs,
            Column::Count => value / interval,
        };
        if rate > limits::RATE {
            let help = format!("at most {:e} per second can be told apart", limits::RATE);
            return wrong(line, format!("a rate of {rate:e} per second"), help);
        }
        rates.push(rate);
    }
    Ok(Trace {
        step: SimSpan::from_nanos(nanos),
        rates,
    })
}

/// The cells of a line, without quotes around them. A quote inside a cell is no number anyway.
fn cells(line: &str) -> Vec<&str> {
    line.split(',')
        .map(|cell| {
            let cell = cell.trim();
            let quoted = cell
                .strip_prefix('"')
                .and_then(|cell| cell.strip_suffix('"'));
            quoted.unwrap_or(cell).trim()
        })
        .collect()
}

/// Which column holds the time, which the number, and what that means.
fn columns(header: &[&str], line: usize) -> Result<(usize, usize, Column), Wrong> {
    if header.iter().all(|cell| instant(cell).is_some()) {
        return wrong(line, "the columns have no names", HEADER);
    }
    let [first, second] = header else {
        return wrong(
            line,
            format!("there are {} columns, not 2", header.len()),
            HEADER,
        );
    };
    let kind = |cell: &str| {
        COLUMNS
            .iter()
            .find(|(name, _)| *name == cell)
            .map(|known| known.1)
    };
    let found = match (*first == "time", *second == "time") {
        (true, false) => kind(second).map(|kind| (0, 1, kind)).ok_or(*second),
        (false, true) => kind(first).map(|kind| (1, 0, kind)).ok_or(*first),
        _ => Err(*first),
    };
    found.or_else(|cell| {
        wrong(
            line,
            format!("{} is no column of a trace", quoted(cell)),
            HEADER,
        )
    })
}

/// A number, 0 or more.
fn number_of(cell: &str, line: usize) -> Result<f64, Wrong> {
    // `parse` also takes words such as `inf`.
    let digits = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let number = cell.parse::<f64>().ok();
    let number = number.filter(|number| number.is_finite() && cell.bytes().all(digits));
    match number {
        None if cell.is_empty() => wrong(line, "the number is missing", "write 0 if nothing came"),
        None => wrong(
            line,
            format!("{} is no number", quoted(cell)),
            "write plain digits with a decimal point, such as 1250 or 0.5",
        ),
        Some(number) if number < 0.0 => wrong(
            line,
            format!("{} is negative", quoted(cell)),
            "nothing comes less often than never",
        ),
        Some(number) => Ok(number),
    }
}

/// A time in nanoseconds since some beginning: seconds, or a date with a time of day.
fn instant(cell: &str) -> Option<i128> {
    if let Some(nanos) = seconds(cell) {
        return Some(nanos);
    }
    let cell = cell.strip_suffix('Z').unwrap_or(cell);
    let (date, time) = cell.split_once(['T', ' '])?;
    let mut date = date.split('-');
    let (year, month, day) = (
        digits(date.next()?, 4)?,
        digits(date.next()?, 2)?,
        digits(date.next()?, 2)?,
    );
    if date.next().is_some() || !(1..=12).contains(&month) {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        if leap { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    if !(1..=lengths[month as usize - 1]).contains(&day) {
        return None;
    }
    let before: i64 = lengths[..month as usize - 1].iter().sum();
    // Leap days of the years before this one, since a year 0 that is one.
    let leaps = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    let days = year * 365 + leaps + before + day - 1;
    let mut parts = time.split(':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), seconds)?;
    if hour > 23 || minute > 59 || parts.next().is_some() || !(0..60_000_000_000).contains(&second)
    {
        return None;
    }
    let secs = (days * 24 + hour) * 3_600 + minute * 60;
    Some(i128::from(secs) * i128::from(NANOS_PER_SEC) + second)
}

/// So many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let plain = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// A number of seconds, exactly, in nanoseconds; finer digits are cut off.
fn seconds(text: &str) -> Option<i128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let plain = |digits: &str| {
        (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !plain(whole) || !plain(part) {
        return None;
    }
    let nanos: i128 = format!("{part:0<9}")[..9].parse().ok()?;
    Some(whole.parse::<i128>().ok()? * i128::from(NANOS_PER_SEC) + nanos)
}

/// Nanoseconds as seconds for people.
fn secs(nanos: i128) -> f64 {
    nanos as f64 / NANOS_PER_SEC as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Option<usize>, String) {
        let wrong = read(text.as_bytes()).expect_err("this trace is wrong");
        (wrong.line, wrong.message)
    }

    #[test]
    fn rates_are_read_in_every_unit_and_notation() {
        let minute = SimSpan::from_secs(60);
        for text in [
            "time,per_second\n0,2\n60,0\n120,0.5\n",
            "\u{feff}# exported\r\n\"time\",\"per_minute\"\r\n1700000000,120\r\n1700000060,0\r\n\r\n1700000120,30\r\n",
            "per_hour,time\n7200,2024-02-28T23:59:00Z\n0,2024-02-29 00:00\n1800,2024-02-29T00:01:00.0\n",
            "time , requests\n0.0 , 120\n60.0, 0\n120, 30",
        ] {
            let trace = read(text.as_bytes()).expect("a trace");
            assert_eq!((trace.step, trace.rates), (minute, vec![2.0, 0.0, 0.5]));
        }
    }

    #[test]
    fn dates_know_months_and_leap_years() {
        let day =
            |text: &str| instant(&format!("{text} 00:00")).map(|nanos| nanos / 86_400_000_000_000);
        let apart = |a: &str, b: &str| day(b).zip(day(a)).map(|(b, a)| b - a);
        assert_eq!(apart("2023-02-28", "2023-03-01"), Some(1));
        assert_eq!(apart("2024-02-28", "2024-03-01"), Some(2));
        assert_eq!(apart("1999-12-31", "2000-01-01"), Some(1));
        assert_eq!(apart("2000-01-01", "2001-01-01"), Some(366));
        assert_eq!(apart("1970-01-01", "2026-11-26"), Some(20_783));
        for text in [
            "2023-02-29",
            "2023-13-01",
            "2023-00-01",
            "23-01-01",
            "2023-01-00",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn every_mistake_has_its_line() {
        let is = |text: &str, line: usize, message: &str| {
            let (found, told) = told(text);
            assert_eq!(found, Some(line), "{told}");
            assert!(told.contains(message), "{told}");
        };
        is("time,per_minute\n0,1\n60,2\n30,3\n", 4, "earlier time");
        is("time,per_minute\n0,1\n0,2\n", 3, "same time");
        is("time,per_minute\n0,1\n\n60,2\n240,3\n", 5, "gap: 180 s");
        is(
            "time,per_minute\n0,1\n60,2\n70,3\n",
            4,
            "shorter interval: 10 s",
        );
        is("time,per_minute\n0,1\n60,-2\n", 3, "negative");
        is("time,per_minute\n0,1\n60,many\n", 3, "no number");
        is("time,per_minute\n0,inf\n60,1\n", 2, "no number");
        is("time,per_minute\n0,\n60,1\n", 2, "missing");
        is("time,per_minute\nnoon,1\n60,1\n", 2, "no time");
        is("time,per_minute\n0,1,2\n60,1\n", 2, "3 cells");
        is("time,per_minute\n0,1\n", 2, "1 rows");
        is("time,per_second\n0,1\n1,1e12\n", 3, "a rate of");
        is("0,1\n60,2\n", 1, "no names");
        is("time,rate\n0,1\n", 1, "no column");
        is("time\n0\n", 1, "1 columns");
        assert_eq!(told("").0, None);
        let mut noise = b"time,per_minute\n0,1\n".to_vec();
        noise.push(0xff);
        assert_eq!(read(&noise).expect_err("noise").line, Some(3));
        let long: String = (0..=limits::TRACE_ROWS)
            .map(|row| format!("{row},1\n"))
            .collect();
        is(
            &format!("time,per_second\n{long}"),
            limits::TRACE_ROWS + 2,
            "more than",
        );
    }
}
