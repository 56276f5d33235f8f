//! A tree of YAML values with their places.
//!
//! Built from the parser's events without recursion, so that nesting cannot exhaust the stack, and
//! within [`crate::scenario::limits`], so that aliases cannot exhaust the memory. Scalars
//! keep their text: whether `1.10` is a number is for the reader to say, who knows what is wanted.

use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::Problem;
use serde_saphyr::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span,
};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A value.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct Node {
    pub(in crate::scenario) place: Place,
    pub(in crate::scenario) value: Value,
    /// How many values it is, aliases written out.
    count: usize,
}

/// What a value is. Collections are shared with their aliases.
#[derive(Clone, Debug)]
pub(in crate::scenario) enum Value {
    /// Text, or a number, or a truth value, or nothing (empty and not quoted).
    Scalar {
        text: String,
        plain: bool,
        /// What a field of whole numbers reads here instead: set where a range stood.
        whole: Option<Whole>,
    },
    /// A sequence.
    List(Rc<Vec<Node>>),
    /// A mapping; no key twice.
    Map(Rc<Vec<(Key, Node)>>),
}

/// A whole number between two others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scenario) struct Whole {
    pub(in crate::scenario) number: i64,
    /// Whether neither of the two is below 0.
    pub(in crate::scenario) counts: bool,
}

/// The key of an entry.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct Key {
    pub(in crate::scenario) place: Place,
    pub(in crate::scenario) text: String,
}

impl Node {
    /// Whether nothing was written.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true, .. } if text.is_empty() || text == "~" || text == "null")
    }

    fn scalar(place: Place, text: String, plain: bool) -> Self {
        Self {
            place,
            value: Value::Scalar {
                text,
                plain,
                whole: None,
            },
            count: 1,
        }
    }
}

/// A collection whose end has not come yet.
struct Open {
    place: Place,
    anchor: usize,
    map: bool,
    items: Vec<Node>,
    entries: Vec<(Key, Node)>,
    keys: BTreeMap<String, Place>,
    /// A key that waits for its value; `None` inside for a key that is no text.
    key: Option<Option<Key>>,
    merges: Vec<Node>,
}

struct Builder<'a> {
    source: &'a str,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    values: usize,
    aliased: usize,
    root: Option<Node>,
    problems: Vec<Problem>,
}

/// The tree of the only document of `source`, with the mistakes that leave a tree.
pub(in crate::scenario) fn parse(source: &str) -> Result<(Node, Vec<Problem>), Box<Problem>> {
    let mut options = Options::default();
    options.flow_nesting_limit = limits::NESTING;
    options.block_nesting_limit = limits::NESTING;
    options.emit_unresolved_aliases = true;
    options.set_emit_comments(false);
    let mut builder = Builder {
        source,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        values: 0,
        aliased: 0,
        root: None,
        problems: Vec::new(),
    };
    let mut documents = 0;
    let mut parser = Parser::new_from_str_with_options(source, options);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| Box::new(scan_problem(source, &error)))?;
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                return Err(Box::new(
                    Problem::at(place_of(source, &span), "a second document begins here")
                        .help("a scenario is one document: remove this line and what follows"),
                ));
            }
        }
        builder.take(event, place_of(source, &span))?;
    }
    let empty = || {
        Box::new(
            Problem::of_file("the file is empty").help("a scenario begins with `fivenines: 1`"),
        )
    };
    let root = builder.root.ok_or_else(empty)?;
    if root.is_nothing() {
        Err(empty())
    } else {
        Ok((root, builder.problems))
    }
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Box<Problem>> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    self.tag(place);
                }
                let plain = style == ScalarStyle::Plain;
                self.finish(Node::scalar(place, text.into_owned(), plain), anchor)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.begin(place, anchor, false, tag.is_some())?
            }
            Event::MappingStart(_, anchor, tag) => {
                self.begin(place, anchor, true, tag.is_some())?
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Ok(());
                };
                // The place of a collection goes to its closing bracket; a block ends where its
                // last value does, not where the next key begins.
                let end = self.source[..(place.end as usize).min(self.source.len())]
                    .trim_end()
                    .len();
                let place = Place::new(open.place.start as usize, end);
                let anchor = open.anchor;
                let node = if open.map {
                    let entries = merged(open);
                    let count = entries.iter().map(|(_, node)| 1 + node.count).sum();
                    Node {
                        place,
                        value: Value::Map(Rc::new(entries)),
                        count,
                    }
                } else {
                    let count = open.items.iter().map(|node| node.count).sum();
                    Node {
                        place,
                        value: Value::List(Rc::new(open.items)),
                        count,
                    }
                };
                self.finish(
                    Node {
                        count: node.count + 1,
                        ..node
                    },
                    anchor,
                )?;
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(Box::new(
                        Problem::at(place, "this alias stands inside what it repeats")
                            .help("an alias can only repeat a value that ends before it"),
                    ));
                };
                self.aliased += node.count;
                if self.aliased > limits::ALIASED_VALUES {
                    return Err(Box::new(
                        Problem::at(place, format!(
                            "with this alias, the aliases of the file repeat more than {} values",
                            limits::ALIASED_VALUES
                        ))
                        .help("aliases of aliases multiply; write less of them"),
                    ));
                }
                self.values += node.count;
                self.attach(node, place)?;
            }
            Event::UnresolvedAlias(name) => {
                let problem = Problem::at(
                    place,
                    format!(
                        "there is no anchor {} before this",
                        quoted(&format!("&{name}"))
                    ),
                );
                self.problems
                    .push(problem.help(
                        "an alias `*name` repeats the value that `&name` was written before",
                    ));
                self.attach(Node::scalar(place, String::new(), true), place)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn tag(&mut self, place: Place) {
        self.problems
            .push(Problem::at(place, "tags (`!name`) have no meaning here").help("remove the tag"));
    }

    fn begin(
        &mut self,
        place: Place,
        anchor: usize,
        map: bool,
        tag: bool,
    ) -> Result<(), Box<Problem>> {
        if tag {
            self.tag(place);
        }
        if self.open.len() >= limits::NESTING {
            return Err(Box::new(too_deep(place)));
        }
        self.open.push(Open {
            place,
            anchor,
            map,
            items: Vec::new(),
            entries: Vec::new(),
            keys: BTreeMap::new(),
            key: None,
            merges: Vec::new(),
        });
        Ok(())
    }

    /// A value is whole.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Box<Problem>> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.values += 1;
        let place = node.place;
        self.attach(node, place)
    }

    /// Puts a value, written at `place`, where it belongs.
    fn attach(&mut self, node: Node, place: Place) -> Result<(), Box<Problem>> {
        if self.values > limits::VALUES {
            return Err(Box::new(
                Problem::at(
                    place,
                    format!("the file has more than {} values", limits::VALUES),
                )
                .help("simulate a part of the design, or replace many equal parts by replicas"),
            ));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        if !open.map {
            open.items.push(node);
            return Ok(());
        }
        match open.key.take() {
            None => {
                let Value::Scalar { text, .. } = node.value else {
                    self.problems
                        .push(Problem::at(place, "a key must be a name, not a collection"));
                    open.key = Some(None);
                    return Ok(());
                };
                if text != "<<"
                    && let Some(first) = open.keys.insert(text.clone(), place)
                {
                    let message = format!("the key {} is here twice", quoted(&text));
                    self.problems
                        .push(Problem::at(place, message).also(first, "it was here before"));
                }
                open.key = Some(Some(Key { place, text }));
            }
            Some(None) => {}
            Some(Some(key)) if key.text == "<<" => {
                let is_map = |node: &Node| matches!(node.value, Value::Map(_));
                let fits = match &node.value {
                    Value::List(items) => items.iter().all(is_map),
                    Value::Map(_) | Value::Scalar { .. } => is_map(&node),
                };
                if !fits {
                    let problem = Problem::at(place, "`<<` merges mappings, and this is none");
                    self.problems
                        .push(problem.help("such as `<<: *name`, where `&name` marks a mapping"));
                }
                open.merges.push(node);
            }
            Some(Some(key)) => open.entries.push((key, node)),
        }
        Ok(())
    }
}

/// The entries of a mapping with those of its `<<`, which never replace any.
fn merged(open: Open) -> Vec<(Key, Node)> {
    let mut entries = open.entries;
    let mut keys: BTreeSet<String> = open.keys.into_keys().collect();
    for merge in open.merges {
        let maps = match &merge.value {
            Value::List(items) => items.as_slice(),
            Value::Map(_) | Value::Scalar { .. } => std::slice::from_ref(&merge),
        };
        for map in maps {
            let Value::Map(more) = &map.value else {
                continue;
            };
            for (key, node) in more.iter() {
                if keys.insert(key.text.clone()) {
                    entries.push((key.clone(), node.clone()));
                }
            }
        }
    }
    entries
}

fn place_of(source: &str, span: &Span) -> Place {
    let range = span.byte_range().unwrap_or(0..0);
    Place::new(range.start.min(source.len()), range.end.min(source.len()))
}

fn too_deep(place: Place) -> Problem {
    Problem::at(
        place,
        format!("more than {} levels inside each other", limits::NESTING),
    )
    .help("no scenario needs that; is a bracket missing?")
}

/// The parser's complaint in our words, where it has a usual cause.
fn scan_problem(source: &str, error: &ScanError) -> Problem {
    let at = error.marker().byte_offset().unwrap_or(0).min(source.len());
    let place = Place::new(at, at + 1);
    let (message, help): (String, Option<&str>) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(place),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation => (
            "a tab in the indentation".into(),
            Some("indent with spaces"),
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "this text is never closed".into(),
            Some("a quote is missing"),
        ),
        ErrorKind::InvalidQuotedScalarIndent | ErrorKind::DocumentIndicatorInQuotedScalar => (
            format!("not YAML: {}", error.kind()),
            Some("is a quote missing in a line above?"),
        ),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator => (
            format!("not YAML: {}", error.kind()),
            Some("is a comma or a closing bracket missing?"),
        ),
        ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::ExpectedBlockMappingKey => (
            format!("not YAML: {}", error.kind()),
            Some("an entry is written `key: value`, with a space after the colon"),
        ),
        kind => (format!("not YAML: {kind}"), None),
    };
    let problem = Problem::at(place, message);
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}
