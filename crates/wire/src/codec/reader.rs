//! Reading a body field by field.

use alloc::vec::Vec;

use super::{FieldError, Layout, List, OpenEnum, Problem, Union, Wire};
use crate::Anomaly;

/// What to do about a field that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Report it.
    Strict,
    /// Note an anomaly and go on with what there is.
    Lenient,
}

/// A position in a message's body.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// What a cut field left over, once that happened; `rest` is empty from then on.
    left_over: &'a [u8],
    length: usize,
    layout: Layout,
    mode: Mode,
    /// The innermost field that is being read.
    name: &'static str,
    anomalies: Vec<Anomaly>,
}

impl<'a> Reader<'a> {
    /// Begins at the start of `body`.
    #[inline]
    pub fn new(body: &'a [u8], layout: Layout, mode: Mode) -> Self {
        Self { rest: body, left_over: &[], length: body.len(), layout, mode, name: "", anomalies: Vec::new() }
    }

    /// The widths that hold for this message.
    #[inline]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Other widths hold from here on.
    pub fn set_layout(&mut self, layout: Layout) {
        self.layout = layout;
    }

    /// Bytes read so far.
    #[inline]
    pub fn offset(&self) -> usize {
        self.length - self.rest.len() - self.left_over.len()
    }

    /// The body's length in bytes.
    pub fn body_len(&self) -> usize {
        self.length
    }

    /// Whether nothing is left to read.
    #[inline]
    pub fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left to read, without reading it.
    #[inline]
    pub fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// Ends the reading: what no field took, and the anomalies.
    #[inline]
    pub fn finish(self) -> (&'a [u8], Vec<Anomaly>) {
        (if self.left_over.is_empty() { self.rest } else { self.left_over }, self.anomalies)
    }

    /// The next `N` bytes; `None` when the body ended before them.
    ///
    /// # Errors
    /// When the body ends among them.
    #[inline]
    pub fn take<const N: usize>(&mut self) -> Result<Option<&'a [u8; N]>, FieldError> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(Some(head))
            }
            None if self.rest.is_empty() => Ok(None),
            None => Err(self.error(Problem::Cut { needed: N, present: self.rest.len() })),
        }
    }

    /// As many of the next `most` bytes as there are.
    #[inline]
    pub fn take_up_to(&mut self, most: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(most.min(self.rest.len()));
        self.rest = rest;
        head
    }

    /// An error at this position, in the field that is being read.
    #[cold]
    pub fn error(&self, problem: Problem) -> FieldError {
        FieldError { field: self.name, offset: self.offset(), problem }
    }

    /// Reads the field `name`. The lenient reader turns its error into an anomaly.
    ///
    /// # Errors
    /// As [`Wire::decode`], when reading strictly.
    #[inline]
    pub fn field<T: Wire>(&mut self, name: &'static str) -> Result<T, FieldError> {
        self.name = name;
        self.part()
    }

    /// Reads a part of the field that is being read: an element of an array, a member of a union. Whatever
    /// consists of several values reads them this way, so that those before a cut are kept.
    ///
    /// # Errors
    /// As [`Wire::decode`], when reading strictly.
    #[inline]
    pub fn part<T: Wire>(&mut self) -> Result<T, FieldError> {
        match T::decode(self) {
            Ok(value) => Ok(value),
            Err(error) => self.forgive(error).map(|()| T::absent()),
        }
    }

    /// Reads a union whose member `selector` chooses.
    ///
    /// # Errors
    /// As [`Wire::decode`], when reading strictly.
    #[inline]
    pub fn union<T: Union>(&mut self, name: &'static str, selector: u32) -> Result<T, FieldError> {
        self.name = name;
        match T::decode_as(self, selector) {
            Ok(value) => Ok(value),
            Err(error) => self.forgive(error).map(|()| T::absent()),
        }
    }

    /// Reads an enumeration that takes fewer bytes here than usual.
    ///
    /// # Errors
    /// As [`Wire::decode`], when reading strictly.
    #[inline]
    pub fn narrow<T: OpenEnum, R: Wire + Into<u32>>(&mut self, name: &'static str) -> Result<T, FieldError> {
        self.field::<R>(name).map(|raw| T::from(raw.into()))
    }

    /// Reads all slots of an array as far as the body reaches; `count` of them are meaningful.
    ///
    /// # Errors
    /// When `count` exceeds the slots that are there, or a slot is cut in two, when reading strictly.
    #[inline]
    pub fn slots<T: Wire, const N: usize>(
        &mut self,
        name: &'static str,
        count: u32,
    ) -> Result<[T; N], FieldError> {
        let mut slots = core::array::from_fn(|_| T::absent());
        let start = self.offset();
        let mut present: usize = 0;
        for slot in &mut slots {
            if self.at_end() {
                break;
            }
            *slot = self.field(name)?;
            present += 1;
        }
        if usize::try_from(count).is_ok_and(|count| count <= present) {
            return Ok(slots);
        }
        self.complain(FieldError {
            field: name,
            offset: start,
            problem: Problem::Count { count, capacity: present },
        })?;
        Ok(slots)
    }

    /// Reads `count` elements, at most `max`, as far as the body reaches; `max` where all slots are sent.
    ///
    /// # Errors
    /// When `count` exceeds `max` or what is there, when reading strictly.
    pub fn list<L: List>(&mut self, name: &'static str, count: u32, max: usize) -> Result<L, FieldError> {
        let start = self.offset();
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        let mut list = L::absent();
        list.fill(self, name, if self.layout.all_slots { max } else { wanted.min(max) })?;
        if list.len() < wanted {
            let problem = Problem::Count { count, capacity: list.len() };
            self.complain(FieldError { field: name, offset: start, problem })?;
        }
        Ok(list)
    }

    /// Reads elements, at most `max`, to the end of the body.
    ///
    /// # Errors
    /// As [`Wire::decode`], when reading strictly.
    pub fn rest<L: List>(&mut self, name: &'static str, max: usize) -> Result<L, FieldError> {
        let mut list = L::absent();
        list.fill(self, name, max)?;
        Ok(list)
    }

    /// Strict: the error. Lenient: an anomaly, and the reading goes on.
    ///
    /// # Errors
    /// The error itself, when reading strictly.
    #[cold]
    pub fn complain(&mut self, error: FieldError) -> Result<(), FieldError> {
        match self.mode {
            Mode::Strict => Err(error),
            Mode::Lenient => {
                if self.anomalies.len() < Self::MOST_ANOMALIES {
                    self.anomalies.push(Anomaly::from(error));
                }
                Ok(())
            }
        }
    }

    /// As [`Reader::complain`], and there is nothing more to read: the rest is the tail.
    #[cold]
    fn forgive(&mut self, error: FieldError) -> Result<(), FieldError> {
        self.complain(error)?;
        self.left_over = core::mem::take(&mut self.rest);
        Ok(())
    }

    /// One message does not fill the memory with complaints about itself.
    const MOST_ANOMALIES: usize = 16;
}
