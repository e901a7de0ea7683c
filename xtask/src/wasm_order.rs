//! Puts functions of a wasm module that are alike next to each other (`wasm_alike`), which makes it smaller after
//! compression: gzip sees only the last 32 KB, and what the compiler made of one generic function for many types lies far
//! apart. Of functions that do the same one is left.
//!
//! Nothing else changes but the numbers by which functions are called. Names must have been taken out before (`wasm_names`).

use crate::wasm_alike::order;
use crate::wasm_names::HEADER;
use std::collections::HashMap;

const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const GLOBALS: u8 = 6;
const EXPORTS: u8 = 7;
const START: u8 = 8;
const ELEMENTS: u8 = 9;
const CODE: u8 = 10;

/// The module in the better order; `None` if it is cut short or uses what no module of ours does.
pub(crate) fn with_alike_together(module: &[u8]) -> Option<Vec<u8>> {
    let sections = sections(module)?;
    let section = |id: u8| sections.iter().find(|(other, _)| *other == id).map(|(_, content)| *content);
    let types = Reader(section(FUNCTIONS)?).vector(Reader::number)?;
    let bodies = Reader(section(CODE)?).vector(|reader| reader.sized())?;
    let imported = section(IMPORTS).map_or(Some(0), imported_functions)?;
    let twins = twins(imported, &types, &bodies)?;
    let order = order_of_first(&twins, &bodies);
    let numbers = Numbers::new(imported, &order, &twins);
    let mut written = HEADER.to_vec();
    for (id, content) in &sections {
        let content = match *id {
            FUNCTIONS => reordered(&types, &order, |out, kind| put(out, *kind)),
            GLOBALS => numbers.globals(content)?,
            EXPORTS => numbers.exports(content)?,
            START => encoded(numbers.new_of(Reader(content).number()?)?),
            ELEMENTS => numbers.elements(content)?,
            CODE => numbers.code(&bodies, &order)?,
            _ => content.to_vec(),
        };
        written.push(*id);
        put(&mut written, u32::try_from(content.len()).ok()?);
        written.extend(content);
    }
    Some(written)
}

fn sections(module: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let mut reader = Reader(module.strip_prefix(HEADER)?);
    let mut sections = Vec::new();
    while !reader.0.is_empty() {
        sections.push((reader.byte()?, reader.sized()?));
    }
    Some(sections)
}

/// For each function the place of the one that stands for it: the first of its type that does the same. As soon as two
/// functions are one, those that call them may do the same too.
fn twins(imported: u32, types: &[u32], bodies: &[&[u8]]) -> Option<Vec<u32>> {
    let mut places: Vec<u32> = (0..).take(bodies.len()).collect();
    loop {
        let numbers = Numbers { imported, places };
        let mut first: HashMap<(u32, Vec<u8>), u32> = HashMap::new();
        let mut twins = Vec::with_capacity(bodies.len());
        for (place, (kind, body)) in (0..).zip(types.iter().zip(bodies)) {
            twins.push(*first.entry((*kind, numbers.body(body)?)).or_insert(place));
        }
        if twins == numbers.places {
            return Some(twins);
        }
        places = twins;
    }
}

/// The places of the functions that stay, in the order in which they shall be.
fn order_of_first(twins: &[u32], bodies: &[&[u8]]) -> Vec<usize> {
    let kept: Vec<usize> = (0..bodies.len()).filter(|place| twins[*place] as usize == *place).collect();
    let bodies: Vec<&[u8]> = kept.iter().map(|place| bodies[*place]).collect();
    order(&bodies).into_iter().map(|place| kept[place]).collect()
}

fn reordered<T>(items: &[T], order: &[usize], mut write: impl FnMut(&mut Vec<u8>, &T)) -> Vec<u8> {
    let mut out = encoded(order.len() as u32);
    order.iter().for_each(|place| write(&mut out, &items[*place]));
    out
}

fn imported_functions(content: &[u8]) -> Option<u32> {
    let kinds = Reader(content).vector(|reader| {
        reader.sized()?;
        reader.sized()?;
        let kind = reader.byte()?;
        match kind {
            0 => drop(reader.number()?),
            1 => {
                reader.byte()?;
                reader.limits()?;
            }
            2 => reader.limits()?,
            3 => drop((reader.byte()?, reader.byte()?)),
            _ => return None,
        }
        Some(kind)
    })?;
    u32::try_from(kinds.iter().filter(|kind| **kind == 0).count()).ok()
}

/// How functions are numbered: imported ones first, which stay, then those of the module.
struct Numbers {
    imported: u32,
    /// The new places of the module's functions.
    places: Vec<u32>,
}

impl Numbers {
    fn new(imported: u32, order: &[usize], twins: &[u32]) -> Numbers {
        let mut new_places = vec![0; twins.len()];
        (0..).zip(order).for_each(|(new, old)| new_places[*old] = new);
        Numbers { imported, places: twins.iter().map(|twin| new_places[*twin as usize]).collect() }
    }

    fn new_of(&self, number: u32) -> Option<u32> {
        match number.checked_sub(self.imported) {
            None => Some(number),
            Some(place) => self.places.get(place as usize).map(|place| place + self.imported),
        }
    }

    fn exports(&self, content: &[u8]) -> Option<Vec<u8>> {
        rewritten(content, |reader, out| {
            let name = reader.sized()?;
            put(out, u32::try_from(name.len()).ok()?);
            out.extend(name);
            let kind = reader.copied_byte(out)?;
            let number = reader.number()?;
            put(out, if kind == 0 { self.new_of(number)? } else { number });
            Some(())
        })
    }

    fn globals(&self, content: &[u8]) -> Option<Vec<u8>> {
        rewritten(content, |reader, out| {
            reader.copied_byte(out)?;
            reader.copied_byte(out)?;
            self.expression(reader, out)
        })
    }

    /// Segments that list functions by their numbers, which is all that the linker makes.
    fn elements(&self, content: &[u8]) -> Option<Vec<u8>> {
        rewritten(content, |reader, out| {
            let form = reader.number()?;
            put(out, form);
            match form {
                0 => self.expression(reader, out)?,
                1 | 3 => drop(reader.copied_byte(out)?),
                2 => {
                    reader.copied_number(out)?;
                    self.expression(reader, out)?;
                    reader.copied_byte(out)?;
                }
                _ => return None,
            }
            let functions = reader.vector(Reader::number)?;
            put(out, u32::try_from(functions.len()).ok()?);
            functions.into_iter().try_for_each(|function| self.new_of(function).map(|new| put(out, new)))
        })
    }

    fn code(&self, bodies: &[&[u8]], order: &[usize]) -> Option<Vec<u8>> {
        let bodies: Vec<Vec<u8>> = bodies.iter().map(|body| self.body(body)).collect::<Option<_>>()?;
        Some(reordered(&bodies, order, |out, body| {
            put(out, body.len() as u32);
            out.extend(body);
        }))
    }

    fn body(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut reader = Reader(body);
        let mut out = Vec::with_capacity(body.len());
        let groups = reader.copied_number(&mut out)?;
        for _ in 0..groups {
            reader.copied_number(&mut out)?;
            reader.copied_byte(&mut out)?;
        }
        while !reader.0.is_empty() {
            self.instruction(&mut reader, &mut out)?;
        }
        Some(out)
    }

    /// A constant expression, with the `end` behind it.
    fn expression(&self, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Option<()> {
        const END: u8 = 0x0b;
        while self.instruction(reader, out)? != END {}
        Some(())
    }

    /// Copies an instruction, with the new number of a function that it names. Returns its code.
    fn instruction(&self, reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Option<u8> {
        let code = reader.copied_byte(out)?;
        match code {
            // call, return_call, ref.func
            0x10 | 0x12 | 0xd2 => put(out, self.new_of(reader.number()?)?),
            0x00 | 0x01 | 0x05 | 0x0b | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => {}
            // Blocks, branches, variables, memory.size and .grow, integer constants, ref.null
            0x02..=0x04 | 0x0c | 0x0d | 0x20..=0x26 | 0x3f..=0x42 | 0xd0 => reader.copied_numbers(1, out)?,
            // call_indirect, return_call_indirect, loads and stores
            0x11 | 0x13 | 0x28..=0x3e => reader.copied_numbers(2, out)?,
            0x0e => {
                let branches = reader.copied_number(out)?;
                reader.copied_numbers(branches + 1, out)?;
            }
            0x1c => {
                let types = reader.copied_number(out)?;
                (0..types).try_for_each(|_| reader.copied_byte(out).map(drop))?;
            }
            0x43 => (0..4).try_for_each(|_| reader.copied_byte(out).map(drop))?,
            0x44 => (0..8).try_for_each(|_| reader.copied_byte(out).map(drop))?,
            0xfc => match reader.copied_number(out)? {
                0..=7 => {}
                9 | 11 | 13 | 15..=17 => reader.copied_numbers(1, out)?,
                8 | 10 | 12 | 14 => reader.copied_numbers(2, out)?,
                _ => return None,
            },
            _ => return None,
        }
        Some(code)
    }
}

/// Copies a vector, item by item.
fn rewritten(content: &[u8], mut item: impl FnMut(&mut Reader<'_>, &mut Vec<u8>) -> Option<()>) -> Option<Vec<u8>> {
    let mut reader = Reader(content);
    let mut out = Vec::with_capacity(content.len());
    let count = reader.copied_number(&mut out)?;
    (0..count).try_for_each(|_| item(&mut reader, &mut out))?;
    reader.0.is_empty().then_some(out)
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn copied_byte(&mut self, out: &mut Vec<u8>) -> Option<u8> {
        self.byte().inspect(|byte| out.push(*byte))
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<u32> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// Copies a number as it is written; it may have a sign or 64 bits, and then what is returned means nothing.
    fn copied_number(&mut self, out: &mut Vec<u8>) -> Option<u32> {
        const LONGEST: usize = 10;
        let length = 1 + self.0.iter().take(LONGEST).position(|byte| byte & 0x80 == 0)?;
        let (number, rest) = self.0.split_at(length);
        out.extend(number);
        self.0 = rest;
        Some(Reader(number).number().unwrap_or(0))
    }

    fn copied_numbers(&mut self, count: u32, out: &mut Vec<u8>) -> Option<()> {
        (0..count).try_for_each(|_| self.copied_number(out).map(drop))
    }

    /// So many bytes as a number before them says.
    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.number()? as usize;
        let (content, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    fn vector<T>(&mut self, mut item: impl FnMut(&mut Reader<'a>) -> Option<T>) -> Option<Vec<T>> {
        let count = self.number()?;
        (0..count).map(|_| item(self)).collect()
    }

    /// The size of a memory or table: at least, and at most if the first byte says so.
    fn limits(&mut self) -> Option<()> {
        let has_most = self.byte()? & 1 == 1;
        self.number()?;
        if has_most {
            self.number()?;
        }
        Some(())
    }
}

fn encoded(number: u32) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, number);
    out
}

fn put(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id], encoded(content.len() as u32).as_slice(), content].concat()
    }

    fn module(types: [u8; 3], export: u8, start: u8, elements: [u8; 3], bodies: [&[u8]; 3]) -> Vec<u8> {
        let bodies = bodies.map(|body| [encoded(body.len() as u32).as_slice(), body].concat()).concat();
        [
            HEADER.to_vec(),
            section(IMPORTS, b"\x01\x01m\x01f\x00\x00"),
            section(FUNCTIONS, &[3, types[0], types[1], types[2]]),
            section(EXPORTS, &[1, 1, b'e', 0, export]),
            section(START, &[start]),
            section(ELEMENTS, &[&[1, 0, 0x41, 0, 0x0b, 3][..], &elements].concat()),
            section(CODE, &[&[3][..], &bodies].concat()),
        ]
        .concat()
    }

    /// Function 0 is imported; of 1, 2 and 3 the second is the shortest and the first the longest.
    #[test]
    fn functions_are_sorted_by_length_and_still_call_the_same() {
        let before = module(
            [5, 6, 7],
            1,
            2,
            [1, 2, 3],
            [b"\x00\x10\x00\x10\x02\x10\x03\x0b", b"\x00\x0b", b"\x01\x01\x7f\x10\x01\x0b"],
        );
        let after = module(
            [6, 7, 5],
            3,
            1,
            [3, 1, 2],
            [b"\x00\x0b", b"\x01\x01\x7f\x10\x03\x0b", b"\x00\x10\x00\x10\x01\x10\x02\x0b"],
        );
        assert_eq!(with_alike_together(&before), Some(after));
    }

    /// Functions 1 and 2 are the same; so are 3 and 4, which call them, but that one is of another type.
    #[test]
    fn of_functions_that_do_the_same_one_is_left() {
        let twin = |kind, callee| (kind, vec![0, 0x10, callee, 0x0b]);
        let functions = [(5, vec![0, 0x0b]), (5, vec![0, 0x0b]), twin(6, 1), twin(6, 2), twin(7, 2)];
        let (types, bodies): (Vec<u32>, Vec<Vec<u8>>) = functions.into_iter().unzip();
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let twins = twins(1, &types, &bodies).expect("these are functions");
        assert_eq!(twins, [0, 0, 2, 2, 4]);
        let order = order_of_first(&twins, &bodies);
        assert_eq!(order, [0, 2, 4]);
        assert_eq!(Numbers::new(1, &order, &twins).places, [0, 0, 1, 1, 2]);
    }

    #[test]
    fn what_stands_behind_an_instruction_is_no_instruction() {
        let constants =
            b"\x00\x41\x90\x02\x42\x90\xd2\x90\x10\x43\x10\x01\x10\x01\x0e\x01\x10\x10\xfc\x0a\x10\x10\x10\x02\x0b";
        let numbers = Numbers { imported: 0, places: vec![2, 1, 0] };
        let mut expected = constants.to_vec();
        expected[23] = 0;
        assert_eq!(numbers.body(constants), Some(expected));
    }

    #[test]
    fn what_is_no_module_cut_short_or_unknown_is_refused() {
        let whole = module([0; 3], 1, 1, [1, 2, 3], [b"\x00\x0b"; 3]);
        assert!(with_alike_together(&whole).is_some());
        assert_eq!(with_alike_together(b"<!doctype html>"), None);
        assert_eq!(with_alike_together(&whole[..whole.len() - 1]), None);
        assert_eq!(with_alike_together(&module([0; 3], 1, 1, [1, 2, 3], [b"\x00\xfe\x0b"; 3])), None);
    }
}
