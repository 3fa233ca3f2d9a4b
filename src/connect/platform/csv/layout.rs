//! How a file is laid out: encoding, delimiter, fields, and where its rows begin. The whole file is looked at before its first row is used,
//! so that a mistake in line 90,000 is told before anything is synchronized.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use csv::{ByteRecord, Position, QuoteStyle, Reader, ReaderBuilder, WriterBuilder};

use super::index::{Index, hash};
use super::version::Version;
use super::{from_io, refused};
use crate::domain::port::{PortClass, PortError};

/// Read at once.
const BUFFER: usize = 64 * 1024;

/// What must be known of an object before its file is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish {
    /// The column of the ids, where somebody named it.
    pub(super) id: Option<String>,
    /// The columns by which a row without an id is known.
    pub(super) key: Vec<String>,
    /// The column that holds the org's id.
    pub(super) mark: String,
}

/// A file that was looked at.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Which version of it.
    pub(super) version: Version,
    /// What stands between the fields.
    pub(super) delimiter: u8,
    /// What ends a line.
    pub(super) line_end: &'static str,
    /// Whether the last line ends.
    pub(super) ended: bool,
    /// Whether every field stands in quotes.
    pub(super) quoted: bool,
    /// The fields; blank columns have no name.
    pub(super) header: Vec<String>,
    /// Where the line of the fields begins.
    pub(super) head: u64,
    /// Where the first row begins.
    pub(super) body: u64,
    /// Which column holds the ids.
    pub(super) id: Option<usize>,
    /// Which column holds the org's ids.
    pub(super) mark: Option<usize>,
    /// By which columns a row without an id is known.
    pub(super) key: Vec<usize>,
    /// Rows without an id, whose ids are made from their content.
    pub(super) nameless: u64,
    /// Of such rows, the keys that several have.
    shared: HashSet<u64>,
    /// Where rows begin, by their ids.
    pub(super) ids: Index,
    /// The org's ids that the rows hold.
    pub(super) marks: Index,
}

/// Where a row stands.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its cells.
    pub(super) cells: ByteRecord,
    /// Its first byte; behind the line end before it, or in the middle of it.
    pub(super) start: u64,
    /// The first byte behind it.
    pub(super) end: u64,
}

/// A reader of rows from a place of an open file. While it reads, nobody else may read this file: clones share one place.
pub(super) struct Rows {
    reader: Reader<File>,
}

impl Rows {
    /// Reads on from a place.
    pub(super) fn from(file: &File, delimiter: u8, place: u64) -> std::io::Result<Self> {
        Self::with(file, delimiter, place, BUFFER)
    }

    /// Reads single rows.
    pub(super) fn here_and_there(file: &File, delimiter: u8, place: u64) -> std::io::Result<Self> {
        Self::with(file, delimiter, place, BUFFER / 16)
    }

    fn with(file: &File, delimiter: u8, place: u64, buffer: usize) -> std::io::Result<Self> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(place))?;
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(buffer)
            .from_reader(file);
        let mut rows = Self { reader };
        rows.go(place)?;
        Ok(rows)
    }

    /// Goes to another place.
    pub(super) fn go(&mut self, place: u64) -> std::io::Result<()> {
        let mut position = Position::new();
        position.set_byte(place);
        self.reader.seek_raw(SeekFrom::Start(place), position).map_err(std::io::Error::other)
    }

    /// Where the next row is read from.
    pub(super) fn place(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next row; nothing at the end.
    pub(super) fn next(&mut self, cells: &mut ByteRecord) -> std::io::Result<Option<(u64, u64)>> {
        let start = self.place();
        let found = self.reader.read_byte_record(cells).map_err(std::io::Error::other)?;
        Ok(found.then(|| (start, self.place())))
    }
}

impl Layout {
    /// Looks at a file; nothing where it is empty but for white space.
    pub(super) fn of(path: &Path, file: &File, wish: &Wish) -> Result<Option<Self>, PortError> {
        let version = Version::of_file(file).map_err(|error| from_io("read", path, &error))?;
        let Some(head) = Head::of(path, file)? else { return Ok(None) };
        let find = |name: &str| head.names.iter().position(|known| known.eq_ignore_ascii_case(name));
        let id = match &wish.id {
            None => find("Id"),
            Some(name) => Some(find(name).ok_or_else(|| {
                refused(
                    PortClass::Settings,
                    "NO_ID_COLUMN",
                    format!(
                        "{} has no column “{name}”, which is to tell its rows apart; it has {}.",
                        name_of(path),
                        head.names.join(", ")
                    ),
                )
            })?),
        };
        let key: Option<Vec<usize>> = wish.key.iter().map(|name| find(name)).collect();
        let mut layout = Self {
            version,
            delimiter: head.delimiter,
            line_end: head.line_end,
            ended: true,
            quoted: head.quoted,
            id,
            mark: find(&wish.mark),
            key: key.unwrap_or_default(),
            header: head.names,
            head: head.start,
            body: head.body,
            nameless: 0,
            shared: HashSet::new(),
            ids: Index::default(),
            marks: Index::default(),
        };
        layout.look_through(path, file)?;
        Ok(Some(layout))
    }

    /// The fields that a file names, without looking at its rows.
    pub(super) fn names(path: &Path, file: &File) -> Result<Option<Vec<String>>, PortError> {
        Ok(Head::of(path, file)?.map(|head| head.names))
    }

    fn look_through(&mut self, path: &Path, file: &File) -> Result<(), PortError> {
        let failed = |error: std::io::Error| from_io("read", path, &error);
        let mut rows = Rows::from(file, self.delimiter, self.body).map_err(failed)?;
        let mut cells = ByteRecord::new();
        let (mut ids, mut marks, mut keyed) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = None;
        while let Some((start, end)) = rows.next(&mut cells).map_err(failed)? {
            last = Some((start, end));
            self.check_row(path, file, &cells, start, end)?;
            match self.id.and_then(|at| cells.get(at)).map(trimmed).filter(|id| !id.is_empty()) {
                Some(id) => ids.push((hash(id), start)),
                None => {
                    if let Some(key) = self.key_hash(&cells) {
                        keyed.push((key, start));
                    } else {
                        self.nameless += 1;
                        ids.push((hash(made_of(&cells).as_bytes()), start));
                    }
                }
            }
            if let Some(mark) = self.mark.and_then(|at| cells.get(at)).filter(|mark| !mark.is_empty()) {
                marks.push((hash(mark), start));
            }
        }
        self.nameless += keyed.len() as u64;
        keyed.sort_unstable();
        self.shared = keyed
            .windows(2)
            .filter_map(|pair| match pair {
                [(one, _), (other, _)] if one == other => Some(*one),
                _ => None,
            })
            .collect();
        for (key, start) in keyed {
            if self.shared.contains(&key) {
                rows.go(start).map_err(failed)?;
                rows.next(&mut cells).map_err(failed)?;
                ids.push((hash(made_of(&cells).as_bytes()), start));
            } else {
                ids.push((hash(made(key).as_bytes()), start));
            }
        }
        self.ids = Index::new(ids);
        self.marks = Index::new(marks);
        if let Some((start, end)) = last {
            self.check_end(path, file, start, end)?;
        } else {
            self.ended = ends_with_line(file).map_err(failed)?;
        }
        self.refuse_twice(path, file)
    }

    fn check_row(
        &self,
        path: &Path,
        file: &File,
        cells: &ByteRecord,
        start: u64,
        end: u64,
    ) -> Result<(), PortError> {
        let name = name_of(path);
        let line = || line_of(file, start);
        if std::str::from_utf8(cells.as_slice()).is_err() {
            return Err(refused(
                PortClass::Settings,
                "ENCODING",
                format!(
                    "{name}, line {}, is not written in UTF-8; save the file as “CSV UTF-8”. Nothing of it was used.",
                    line()
                ),
            ));
        }
        let expected = self.header.len();
        let surplus = cells.iter().skip(expected).any(|cell| !cell.is_empty());
        if cells.len() < expected || surplus {
            let open =
                if end == self.version.size { is_open(file, self.delimiter, start, end) } else { false };
            let what = if open {
                "has a quotation mark that is never closed".to_owned()
            } else {
                let fields = if cells.len() == 1 { "field" } else { "fields" };
                format!("has {} {fields}, while the first line names {expected}", cells.len())
            };
            return Err(refused(
                PortClass::Settings,
                "RAGGED_ROW",
                format!("{name}, line {}, {what}; correct it. Nothing of the file was used.", line()),
            ));
        }
        Ok(())
    }

    fn check_end(&mut self, path: &Path, file: &File, start: u64, end: u64) -> Result<(), PortError> {
        if is_open(file, self.delimiter, start, end) {
            return Err(refused(
                PortClass::Settings,
                "OPEN_QUOTE",
                format!(
                    "{}, line {}, has a quotation mark that is never closed; correct it. Nothing of the file was used.",
                    name_of(path),
                    line_of(file, start)
                ),
            ));
        }
        self.ended = ends_with_line(file).map_err(|error| from_io("read", path, &error))?;
        Ok(())
    }

    /// An id that stands twice would make one record of two.
    fn refuse_twice(&self, path: &Path, file: &File) -> Result<(), PortError> {
        let Some(at) = self.id else { return Ok(()) };
        let failed = |error: std::io::Error| from_io("read", path, &error);
        let mut rows = Rows::from(file, self.delimiter, self.body).map_err(failed)?;
        let (mut one, mut other) = (ByteRecord::new(), ByteRecord::new());
        for (_, first, second) in self.ids.shared() {
            rows.go(first).map_err(failed)?;
            rows.next(&mut one).map_err(failed)?;
            rows.go(second).map_err(failed)?;
            rows.next(&mut other).map_err(failed)?;
            let id = |cells: &ByteRecord| {
                cells.get(at).map(trimmed).filter(|id| !id.is_empty()).map(<[u8]>::to_vec)
            };
            if let (Some(id), Some(same)) = (id(&one), id(&other))
                && id == same
            {
                return Err(refused(
                    PortClass::Settings,
                    "ID_TWICE",
                    format!(
                        "In {} the {} “{}” stands in line {} and in line {}; correct one of them (a blank one gets a new id). \
                         Nothing of the file was used.",
                        name_of(path),
                        self.header.get(at).map(String::as_str).unwrap_or_default(),
                        String::from_utf8_lossy(&id),
                        line_of(file, first),
                        line_of(file, second)
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The id of a row: what stands in its column, else made from its key, else from all of it.
    pub(super) fn id_of(&self, cells: &ByteRecord) -> String {
        let named = self.id.and_then(|at| cells.get(at)).map(trimmed).filter(|id| !id.is_empty());
        if let Some(id) = named {
            return String::from_utf8_lossy(id).into_owned();
        }
        match self.key_hash(cells).filter(|key| !self.shared.contains(key)) {
            Some(key) => made(key),
            None => made_of(cells),
        }
    }

    fn key_hash(&self, cells: &ByteRecord) -> Option<u64> {
        let mut text = Vec::new();
        for at in &self.key {
            let cell = cells.get(*at).map(trimmed).filter(|cell| !cell.is_empty())?;
            text.extend(cell.iter().map(u8::to_ascii_lowercase));
            text.push(0x1f);
        }
        (!text.is_empty()).then(|| digest(&text))
    }

    /// The same with other fields and without its rows.
    pub(super) fn reshaped(&self, header: Vec<String>, wish: &Wish) -> Self {
        let find = |name: &str| header.iter().position(|known| known.eq_ignore_ascii_case(name));
        let id = find(wish.id.as_deref().unwrap_or(super::shelf::ID));
        let mark = find(&wish.mark);
        Self {
            header,
            id,
            mark,
            key: self.key.clone(),
            shared: self.shared.clone(),
            ids: Index::default(),
            marks: Index::default(),
            ..*self
        }
    }

    /// That of a file that is not there yet.
    pub(super) fn to_be(header: Vec<String>, delimiter: u8, wish: &Wish) -> Self {
        let blank = Self {
            version: Version::default(),
            delimiter,
            line_end: "\n",
            ended: true,
            quoted: false,
            header: Vec::new(),
            head: 0,
            body: 0,
            id: None,
            mark: None,
            key: Vec::new(),
            nameless: 0,
            shared: HashSet::new(),
            ids: Index::default(),
            marks: Index::default(),
        };
        blank.reshaped(header, wish)
    }

    /// Cells as a row of this file, without a line end.
    pub(super) fn encoded<'a>(&self, cells: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let style = if self.quoted { QuoteStyle::Always } else { QuoteStyle::Necessary };
        let mut writer = WriterBuilder::new()
            .delimiter(self.delimiter)
            .quote_style(style)
            .flexible(true)
            .buffer_capacity(1024)
            .from_writer(Vec::with_capacity(256));
        // Writing into memory does not fail.
        let written = writer.write_record(cells).map_err(|_none| ());
        let mut bytes = writer.into_inner().unwrap_or_default();
        if written.is_ok() && bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        bytes
    }

    /// The place of a field.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    /// The row of an id.
    pub(super) fn row(&self, rows: &mut Rows, id: &str) -> std::io::Result<Option<Row>> {
        for place in self.ids.places(hash(id.as_bytes())) {
            let mut cells = ByteRecord::new();
            if rows.place() != place {
                rows.go(place)?;
            }
            if let Some((start, end)) = rows.next(&mut cells)?
                && self.id_of(&cells) == id
            {
                return Ok(Some(Row { cells, start, end }));
            }
        }
        Ok(None)
    }
}

/// The name of a file without its folder.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn trimmed(cell: &[u8]) -> &[u8] {
    cell.trim_ascii()
}

fn digest(text: &[u8]) -> u64 {
    let digest = ring::digest::digest(&ring::digest::SHA256, text);
    digest.as_ref().first_chunk::<8>().map_or(0, |start| u64::from_be_bytes(*start))
}

fn made(key: u64) -> String {
    format!("m{key:016x}")
}

/// An id from all cells of a row.
pub(super) fn made_of(cells: &ByteRecord) -> String {
    let mut text = vec![0x1e];
    for cell in cells {
        text.extend_from_slice(cell);
        text.push(0x1f);
    }
    made(digest(&text))
}

/// An id from a text that nobody else has.
pub(super) fn made_from(text: &str) -> String {
    made(digest(text.as_bytes()))
}

/// The number of the line in which the row that begins at a place stands, as editors count.
fn line_of(file: &File, place: u64) -> u64 {
    let count = || -> std::io::Result<u64> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(BUFFER, file);
        let (mut at, mut lines, mut last) = (0_u64, 1_u64, 0_u8);
        loop {
            let part = reader.fill_buf()?;
            if part.is_empty() {
                return Ok(lines);
            }
            let length = part.len();
            for byte in part {
                // The row itself begins behind line ends that were left over.
                if at >= place && !matches!(byte, b'\n' | b'\r') {
                    return Ok(lines);
                }
                if *byte == b'\n' && last != b'\r' || *byte == b'\r' {
                    lines += 1;
                }
                last = *byte;
                at += 1;
            }
            reader.consume(length);
        }
    };
    count().unwrap_or_default()
}

/// Whether a row at the end of a file ends inside of quotes.
fn is_open(file: &File, delimiter: u8, start: u64, end: u64) -> bool {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        let mut raw = Vec::new();
        file.take(end - start).read_to_end(&mut raw)?;
        Ok(raw)
    };
    let Ok(raw) = read() else { return false };
    let (mut inside, mut begins) = (false, true);
    let mut bytes = raw.iter().copied().skip_while(|byte| matches!(byte, b'\n' | b'\r')).peekable();
    while let Some(byte) = bytes.next() {
        if inside {
            if byte == b'"' {
                if bytes.peek() == Some(&b'"') {
                    bytes.next();
                } else {
                    inside = false;
                }
            }
        } else if byte == b'"' && begins {
            inside = true;
        }
        begins = !inside && byte == delimiter;
    }
    inside
}

fn ends_with_line(file: &File) -> std::io::Result<bool> {
    let mut file = file.try_clone()?;
    if file.seek(SeekFrom::End(-1)).is_err() {
        return Ok(true);
    }
    let mut last = [0_u8];
    file.read_exact(&mut last)?;
    Ok(matches!(last[0], b'\n' | b'\r'))
}

/// The first line.
struct Head {
    delimiter: u8,
    line_end: &'static str,
    quoted: bool,
    names: Vec<String>,
    start: u64,
    body: u64,
}

impl Head {
    fn of(path: &Path, file: &File) -> Result<Option<Self>, PortError> {
        let failed = |error: std::io::Error| from_io("read", path, &error);
        let mut start = file.try_clone().map_err(failed)?;
        start.seek(SeekFrom::Start(0)).map_err(failed)?;
        let mut bytes = Vec::new();
        start.take(BUFFER as u64).read_to_end(&mut bytes).map_err(failed)?;
        let name = name_of(path);
        let encoding = |what: &str| {
            refused(
                PortClass::Settings,
                "ENCODING",
                format!(
                    "{name}, line 1: the file is written in {what}; save it as “CSV UTF-8”. Nothing of it was used."
                ),
            )
        };
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(encoding("UTF-16"));
        }
        let mut at = if bytes.starts_with(&[0xef, 0xbb, 0xbf]) { 3 } else { 0 };
        let rest = |at: usize| bytes.get(at..).unwrap_or_default();
        if rest(at).iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let line = first_line(rest(at));
        if line.contains(&0) {
            return Err(encoding("UTF-16 or another encoding with zero bytes"));
        }
        let mut delimiter = None;
        // What Excel understands, and others take for a field.
        if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', said] = line {
            delimiter = Some(*said);
            at += line.len();
            at += rest(at).iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        }
        let line = first_line(rest(at));
        let delimiter = delimiter.unwrap_or_else(|| most_frequent(line));
        let mut rows = Rows::from(file, delimiter, at as u64).map_err(failed)?;
        let mut cells = ByteRecord::new();
        rows.next(&mut cells).map_err(failed)?;
        if std::str::from_utf8(cells.as_slice()).is_err() {
            return Err(encoding("another encoding than UTF-8"));
        }
        let mut names: Vec<String> =
            cells.iter().map(|cell| String::from_utf8_lossy(trimmed(cell)).into_owned()).collect();
        // Spreadsheets leave columns without a name at the end.
        while names.last().is_some_and(String::is_empty) && names.len() > 1 {
            names.pop();
        }
        refuse_names(&name, &names)?;
        let behind = rest(at + line.len());
        Ok(Some(Self {
            delimiter,
            line_end: if behind.starts_with(b"\r\n") {
                "\r\n"
            } else if behind.starts_with(b"\r") {
                "\r"
            } else {
                "\n"
            },
            quoted: line.starts_with(b"\"") && line.ends_with(b"\"") && !line.is_empty(),
            names,
            start: at as u64,
            body: rows.place(),
        }))
    }
}

fn refuse_names(file: &str, names: &[String]) -> Result<(), PortError> {
    let wrong = |what: String| {
        Err(refused(
            PortClass::Settings,
            "HEADER",
            format!("{file}, line 1: {what} Nothing of the file was used."),
        ))
    };
    if names.iter().all(String::is_empty) {
        return wrong("the first line must name the fields.".into());
    }
    for (place, name) in names.iter().enumerate() {
        if name.is_empty() {
            continue;
        }
        let before = names.iter().take(place).position(|known| known.eq_ignore_ascii_case(name));
        if let Some(before) = before {
            return wrong(format!(
                "the columns {} and {} are both named “{name}”; give one of them another name.",
                before + 1,
                place + 1
            ));
        }
    }
    Ok(())
}

/// Up to the first line end outside of quotes.
fn first_line(bytes: &[u8]) -> &[u8] {
    let mut inside = false;
    let end = bytes.iter().position(|byte| {
        if *byte == b'"' {
            inside = !inside;
        }
        !inside && matches!(byte, b'\n' | b'\r')
    });
    bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default()
}

/// Comma, semicolon or tab, whichever stands most often in a line outside of quotes.
fn most_frequent(line: &[u8]) -> u8 {
    let mut inside = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    for byte in line {
        if *byte == b'"' {
            inside = !inside;
        }
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| known == byte && !inside) {
            *count += 1;
        }
    }
    // The first of equals: a file of one column has commas.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(byte, _)| *byte)
}
