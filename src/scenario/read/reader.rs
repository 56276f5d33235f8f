//! Hands a tree of values to serde and notes mistakes where reading can go on behind them.

use super::at::{AT, WHOLE};
use super::error::ShapeError;
use super::tree::{Key, Node, Value};
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::Problem;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use std::cell::RefCell;

/// Reads one value.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    node: &'a Node,
    sink: &'a RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    /// Reads `node`; mistakes that do not stop it go to `sink`.
    pub(super) fn new(node: &'a Node, sink: &'a RefCell<Vec<Problem>>) -> Self {
        Self { node, sink }
    }

    /// The text of a scalar and whether it was written without quotes.
    fn scalar(self, expected: &dyn de::Expected) -> Result<(&'a str, bool), ShapeError> {
        if self.node.is_nothing() {
            return Err(ShapeError::new(
                format!("nothing is written here, expected {expected}"),
                Some("write a value, or leave the key out".into()),
            ));
        }
        match &self.node.value {
            Value::Scalar { text, plain, .. } => Ok((text, *plain)),
            Value::List(_) => Err(ShapeError::invalid_type(Unexpected::Seq, expected)),
            Value::Map(_) => Err(ShapeError::invalid_type(Unexpected::Map, expected)),
        }
    }

    fn text<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let (text, _) = self.scalar(&visitor)?;
        visitor.visit_borrowed_str(text)
    }

    fn whole<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        if let Value::Scalar {
            whole: Some(whole), ..
        } = self.node.value
            && whole.counts
        {
            return visitor.visit_u64(whole.number.unsigned_abs());
        }
        let (text, plain) = self.scalar(&"a whole number")?;
        let number = text
            .parse::<u64>()
            .ok()
            .filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        match number {
            Some(number) if plain => visitor.visit_u64(number),
            Some(_) => Err(ShapeError::new(
                format!("expected a whole number, found the text {}", quoted(text)),
                Some("remove the quotes".into()),
            )),
            None => Err(ShapeError::new(
                format!("expected a whole number, found {}", quoted(text)),
                Some("write plain digits, such as 16, below 2^64".into()),
            )),
        }
    }

    /// What a range of whole numbers left here, or whatever else stands here.
    fn whole_or_else<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.node.value {
            Value::Scalar {
                whole: Some(whole), ..
            } => visitor.visit_i64(whole.number),
            _ => self.deserialize_any(visitor),
        }
    }

    fn number<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let (text, _) = self.scalar(&"a number")?;
        // `parse` also takes words such as `inf`, which no field can mean.
        let numeric = text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        match text.parse::<f64>() {
            Ok(number) if numeric && number.is_finite() => visitor.visit_f64(number),
            _ => Err(ShapeError::new(
                format!("expected a plain number, found {}", quoted(text)),
                Some("write it without a unit, such as 0.75".into()),
            )),
        }
    }

    fn truth<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        let (text, plain) = self.scalar(&"`true` or `false`")?;
        match (text, plain) {
            ("true", true) => visitor.visit_bool(true),
            ("false", true) => visitor.visit_bool(false),
            _ => Err(ShapeError::new(
                format!("expected `true` or `false`, found {}", quoted(text)),
                None,
            )),
        }
    }

    fn list<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(Items {
                items: items.iter(),
                sink: self.sink,
            }),
            _ => Err(self.scalar(&"a list, in [ ]").map_or_else(
                |error| error,
                |(text, _)| ShapeError::invalid_type(Unexpected::Str(text), &"a list, in [ ]"),
            )),
        }
    }

    /// A mapping. A key that is none of `allowed` is noted and passed over.
    fn map<V: Visitor<'a>>(
        self,
        visitor: V,
        allowed: Option<&'static [&'static str]>,
    ) -> Result<V::Value, ShapeError> {
        match &self.node.value {
            Value::Map(entries) => {
                let mut fields = Fields {
                    entries: entries.iter(),
                    value: None,
                    sink: self.sink,
                    allowed,
                    place: self.node.place,
                };
                let made = visitor.visit_map(&mut fields)?;
                match fields.entries.next() {
                    // Only a choice leaves entries behind.
                    Some((key, _)) => Err(one_choice(key.place)),
                    None => Ok(made),
                }
            }
            _ => {
                let (text, _) = self.scalar(&visitor)?;
                Err(ShapeError::invalid_type(Unexpected::Str(text), &visitor))
            }
        }
    }

    fn choice<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match &self.node.value {
            Value::Map(entries) => match entries.as_slice() {
                [(key, node)] => visitor.visit_enum(Choice {
                    key,
                    node: Some(node),
                    sink: self.sink,
                }),
                [_, (second, _), ..] => Err(one_choice(second.place)),
                [] => Err(ShapeError::invalid_type(
                    Unexpected::Other("an empty mapping"),
                    &visitor,
                )),
            },
            _ => {
                let (text, _) = self.scalar(&visitor)?;
                let key = Key {
                    place: self.node.place,
                    text: text.to_owned(),
                };
                visitor.visit_enum(Choice {
                    key: &key,
                    node: None,
                    sink: self.sink,
                })
            }
        }
    }
}

fn one_choice(place: Place) -> ShapeError {
    ShapeError::new(
        "only one choice can be made here",
        Some("remove all but one".into()),
    )
    .or_at(place)
}

/// Forwards methods of `Deserializer` to those of [`Reader`], adding the place to what goes wrong.
macro_rules! forward {
    ($($method:ident($($arg:ident: $ty:ty),*) => $to:ident($($more:expr),*);)*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, ShapeError> {
            $(let _ = $arg;)*
            self.$to(visitor $(, $more)*).map_err(|error| error.or_at(self.node.place))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match &self.node.value {
            Value::Scalar { .. } => self.text(visitor),
            Value::List(_) => self.list(visitor),
            Value::Map(entries) if entries.is_empty() => Err(ShapeError::invalid_type(
                Unexpected::Other("an empty mapping"),
                &visitor,
            )),
            Value::Map(_) => self.map(visitor, None),
        }
        .map_err(|error| error.or_at(self.node.place))
    }

    forward! {
        deserialize_str() => text();
        deserialize_string() => text();
        deserialize_char() => text();
        deserialize_identifier() => text();
        deserialize_u64() => whole();
        deserialize_u32() => whole();
        deserialize_u16() => whole();
        deserialize_u8() => whole();
        deserialize_i64() => whole();
        deserialize_i32() => whole();
        deserialize_i16() => whole();
        deserialize_i8() => whole();
        deserialize_f64() => number();
        deserialize_f32() => number();
        deserialize_bool() => truth();
        deserialize_seq() => list();
        deserialize_tuple(len: usize) => list();
        deserialize_map() => map(None);
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) => map(Some(fields));
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) => choice();
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        if name == AT {
            let place = self.node.place;
            visitor.visit_seq(Placed {
                place,
                step: 0,
                inner: Some(self),
                sink: self.sink,
            })
        } else {
            self.deserialize_seq(visitor)
        }
    }

    /// A field that was written is there, even if nothing follows it: its type says what it misses.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        if name == WHOLE {
            self.whole_or_else(visitor)
                .map_err(|error| error.or_at(self.node.place))
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit unit_struct i128 u128 }
}

/// The items of a list.
struct Items<'a> {
    items: std::slice::Iter<'a, Node>,
    sink: &'a RefCell<Vec<Problem>>,
}

impl<'a> SeqAccess<'a> for Items<'a> {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ShapeError> {
        self.items
            .next()
            .map(|node| seed.deserialize(Reader::new(node, self.sink)))
            .transpose()
    }
}

/// The entries of a mapping.
struct Fields<'a> {
    entries: std::slice::Iter<'a, (Key, Node)>,
    value: Option<&'a Node>,
    sink: &'a RefCell<Vec<Problem>>,
    allowed: Option<&'static [&'static str]>,
    place: Place,
}

impl<'a> MapAccess<'a> for &mut Fields<'a> {
    type Error = ShapeError;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ShapeError> {
        for (key, node) in self.entries.by_ref() {
            if let Some(allowed) = self.allowed
                && !allowed.contains(&key.text.as_str())
            {
                let error = ShapeError::unknown_field(&key.text, allowed);
                let mut problem = error.into_problem(key.place);
                problem.within = Some(self.place.start);
                self.sink.borrow_mut().push(problem);
                continue;
            }
            self.value = Some(node);
            return seed
                .deserialize(KeyReader {
                    key,
                    sink: self.sink,
                })
                .map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, ShapeError> {
        let node = self
            .value
            .take()
            .ok_or_else(|| ShapeError::custom("a value before its key"))?;
        seed.deserialize(Reader::new(node, self.sink))
    }
}

/// Reads a key.
struct KeyReader<'a> {
    key: &'a Key,
    sink: &'a RefCell<Vec<Problem>>,
}

impl<'de> Deserializer<'de> for KeyReader<'de> {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor
            .visit_borrowed_str(&self.key.text)
            .map_err(|error: ShapeError| error.or_at(self.key.place))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        if name == AT {
            let (place, sink) = (self.key.place, self.sink);
            visitor.visit_seq(Placed {
                place,
                step: 0,
                inner: Some(self),
                sink,
            })
        } else {
            self.deserialize_any(visitor)
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple map struct enum identifier ignored_any
    }
}

/// What an [`At`](super::At) asks for: start and end of the place, then the value. A value that
/// cannot be read is noted here, so that whoever asked may go on without it.
struct Placed<'a, D> {
    place: Place,
    step: u8,
    inner: Option<D>,
    sink: &'a RefCell<Vec<Problem>>,
}

impl<'a, D: Deserializer<'a, Error = ShapeError>> SeqAccess<'a> for Placed<'a, D> {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ShapeError> {
        self.step += 1;
        let part = match self.step {
            1 => seed.deserialize(self.place.start.into_deserializer()),
            2 => seed.deserialize(self.place.end.into_deserializer()),
            _ => {
                let Some(inner) = self.inner.take() else {
                    return Ok(None);
                };
                let read = seed.deserialize(inner);
                if let Err(error) = read {
                    self.sink.borrow_mut().push(error.into_problem(self.place));
                    return Err(ShapeError::custom("noted"));
                }
                read
            }
        };
        part.map(Some)
    }
}

/// The choice of an externally tagged enum: a word, or a mapping with one key.
struct Choice<'k, 'a> {
    key: &'k Key,
    node: Option<&'a Node>,
    sink: &'a RefCell<Vec<Problem>>,
}

impl<'a> EnumAccess<'a> for Choice<'_, 'a> {
    type Error = ShapeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), ShapeError> {
        let name: StrDeserializer<'_, ShapeError> = self.key.text.as_str().into_deserializer();
        let chosen = seed
            .deserialize(name)
            .map_err(|error| error.or_at(self.key.place))?;
        Ok((chosen, self))
    }
}

impl<'a> Choice<'_, 'a> {
    fn content(&self) -> Result<Reader<'a>, ShapeError> {
        match self.node {
            Some(node) => Ok(Reader::new(node, self.sink)),
            None => Err(ShapeError::new(
                format!("{} needs its parameters", quoted(&self.key.text)),
                Some(format!("write `{}: {{...}}`", self.key.text)),
            )
            .or_at(self.key.place)),
        }
    }
}

impl<'a> VariantAccess<'a> for Choice<'_, 'a> {
    type Error = ShapeError;

    fn unit_variant(self) -> Result<(), ShapeError> {
        match self.node {
            None => Ok(()),
            Some(node) => Err(ShapeError::new(
                format!("{} takes no parameters", quoted(&self.key.text)),
                Some(format!("write `{}` alone", self.key.text)),
            )
            .or_at(node.place)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, ShapeError> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'a>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        self.content()?.deserialize_struct("", fields, visitor)
    }
}
