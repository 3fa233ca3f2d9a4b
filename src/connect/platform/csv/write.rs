//! Writing rows: what changes is worked out against the version that was read, and goes into the file in one step. Rows that do not change
//! keep every byte: quotes, line ends and all.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

use csv::ByteRecord;

use super::append::append;
use super::index::hash;
use super::layout::{Layout, Rows, Wish, made_from, name_of};
use super::place::refuse_open;
use super::replace::{Backup, Draft};
use super::shelf::{ID, Own, RecordReader, Shelf, Subject};
use super::version::Version;
use super::{from_io, refused};
use crate::domain::port::{
    PortClass, PortError, RowClass, RowError, RowResult, WriteBatch, WriteKind, WriteRow,
};
use crate::domain::record::{Record, RecordId};

/// How often it is tried while others write the same file.
const TRIES: u32 = 3;

/// Cells of a row.
type Cells = Vec<Vec<u8>>;

/// What becomes of a row of the file.
struct Edit {
    end: u64,
    /// Its new cells; nothing if it goes.
    cells: Option<Cells>,
    /// Its new bytes, without the line ends around it.
    bytes: Vec<u8>,
    /// How many bytes of line ends stand before and behind its cells.
    around: (u64, u64),
}

impl Edit {
    fn new(end: u64, cells: Option<Cells>) -> Self {
        Self { end, cells, bytes: Vec::new(), around: (0, 0) }
    }
}

/// What became of a row of the batch.
enum Done {
    /// The row of the file that begins here.
    Edited { id: String, start: u64 },
    /// The new row of this number.
    Added { id: String, at: usize },
    /// It is gone.
    Removed { id: String },
    /// Refused.
    Refused(RowError),
}

/// What a batch does to a file.
#[derive(Default)]
struct Plan {
    edits: BTreeMap<u64, Edit>,
    added: Vec<(String, Cells)>,
    done: Vec<Done>,
}

impl Shelf {
    /// Writes a batch. An `Err` means that nothing was written.
    pub(super) fn write(&mut self, batch: &WriteBatch) -> Result<Vec<RowResult>, PortError> {
        let subject = self.subject(&batch.object)?;
        let _held = self.place.lock()?;
        super::append::heal(&subject.path)?;
        for _ in 0..TRIES {
            refuse_open(&subject.path)?;
            if let Some(results) = self.write_once(&subject, batch)? {
                return Ok(results);
            }
        }
        Err(refused(
            PortClass::Transient,
            "FILE_BUSY",
            format!(
                "{} is written again and again by somebody else; nothing was written, and the next run tries once more.",
                name_of(&subject.path)
            ),
        ))
    }

    /// Nothing if somebody else wrote the file meanwhile.
    fn write_once(
        &mut self,
        subject: &Subject,
        batch: &WriteBatch,
    ) -> Result<Option<Vec<RowResult>>, PortError> {
        let failed = |error: io::Error| from_io("written", &subject.path, &error);
        let wish = self.wish(subject);
        let file = self.open(subject)?;
        let new;
        let layout = if file.is_some() {
            self.layout(subject)?
        } else {
            new = Layout::to_be(new_header(batch, &wish), self.rules.delimiter, &wish);
            &new
        };
        let shape = layout.reshaped(header_after(layout, batch, &wish), &wish);
        let mut plan = Plan::default();
        {
            let mut rows = match &file {
                Some(file) => {
                    Some(Rows::here_and_there(file, layout.delimiter, layout.body).map_err(failed)?)
                }
                None => None,
            };
            for row in &batch.rows {
                let done = plan.take(&Taking { subject, batch, layout, shape: &shape }, rows.as_mut(), row);
                let done = done.map_err(failed)?;
                plan.done.push(done);
            }
        }
        if plan.edits.is_empty() && plan.added.is_empty() {
            return Ok(Some(plan.results(self, subject, &shape, batch)));
        }
        if let Some(file) = &file {
            plan.measure(file, &shape).map_err(failed)?;
        }
        let tail = tail(layout, &shape, &plan.added);
        let widens = shape.header.len() > layout.header.len() || layout.nameless > 0;
        let own = self.own.get(&subject.path).map(|own| own.to);
        let ours = file.is_some() && own == Some(layout.version);
        let read = match &file {
            Some(_) => Some(layout.version),
            // Nothing but white space is as good as nothing, and still a version of the file.
            None => Version::of(&subject.path).map_err(failed)?,
        };
        let version = if ours && !widens && plan.edits.is_empty() {
            // Somebody may have written since it was opened.
            if Version::of(&subject.path).map_err(failed)? != read {
                return Ok(None);
            }
            append(&subject.path, &layout.version, &tail)?
        } else {
            let mut draft = Draft::of(&subject.path)?;
            let drafted = match &file {
                None => draft_new(&mut draft, &shape, &tail),
                Some(file) if widens => {
                    draft_widened(&mut draft, (file, subject), layout, &shape, &plan, &tail)
                }
                Some(file) => draft_edited(&mut draft, file, layout, &plan, &tail),
            };
            drafted.map_err(failed)?;
            let backup = if ours { Backup::None } else { Backup::Keep };
            match draft.put(read.as_ref(), backup)? {
                Some(version) => version,
                None => return Ok(None),
            }
        };
        let results = plan.results(self, subject, &shape, batch);
        match self.own.get_mut(&subject.path) {
            Some(own) if ours => own.to = version,
            Some(_) | None => {
                let own = Own { told: read.into_iter().collect(), to: version };
                self.own.insert(subject.path.clone(), own);
            }
        }
        if widens || file.is_none() {
            self.layouts.remove(&subject.path);
        } else if let Some(layout) = self.layouts.get_mut(&subject.path) {
            plan.carry_over(layout, &shape, version);
        }
        Ok(Some(results))
    }
}

/// What a row is judged by.
struct Taking<'a> {
    subject: &'a Subject,
    batch: &'a WriteBatch,
    layout: &'a Layout,
    shape: &'a Layout,
}

impl Plan {
    fn take(&mut self, by: &Taking<'_>, rows: Option<&mut Rows>, row: &WriteRow) -> io::Result<Done> {
        if by.batch.kind == WriteKind::Create {
            let known = match rows {
                Some(rows) => marked(by, rows, row)?,
                None => None,
            };
            return Ok(match known {
                // Written before a crash, and not known to have been.
                Some((id, start, end, cells)) => self.edit(by, row, (id, start, end), &cells),
                None => self.add(by, row),
            });
        }
        let id = row.id.as_ref().map(RecordId::as_str).unwrap_or_default();
        let found = match rows {
            Some(rows) => by.layout.row(rows, id)?,
            None => None,
        };
        let Some(found) = found else {
            return Ok(Done::Refused(row_error(
                RowClass::Gone,
                "GONE",
                format!("No row of {} has the id {id} any more.", name_of(&by.subject.path)),
            )));
        };
        if by.batch.kind == WriteKind::Delete {
            self.edits.insert(found.start, Edit::new(found.end, None));
            return Ok(Done::Removed { id: id.to_owned() });
        }
        Ok(self.edit(by, row, (id.to_owned(), found.start, found.end), &found.cells))
    }

    fn edit(
        &mut self,
        by: &Taking<'_>,
        row: &WriteRow,
        (id, start, end): (String, u64, u64),
        held: &ByteRecord,
    ) -> Done {
        let before: Cells = match self.edits.get(&start) {
            Some(Edit { cells: Some(cells), .. }) => cells.clone(),
            Some(_) | None => held.iter().map(<[u8]>::to_vec).collect(),
        };
        let mut cells = before.clone();
        if cells.len() < by.shape.header.len() {
            cells.resize(by.shape.header.len(), Vec::new());
        }
        for (at, text) in given(by, row) {
            if by.shape.id == Some(at) {
                if text != id {
                    let column = by.shape.header.get(at).map(String::as_str).unwrap_or_default();
                    return Done::Refused(RowError {
                        fields: vec![column.to_owned()],
                        ..row_error(
                            RowClass::Data,
                            "ID_CHANGES",
                            format!(
                                "{column} tells the rows apart, so it can't become “{text}”; choose another id column."
                            ),
                        )
                    });
                }
            } else if let Some(cell) = cells.get_mut(at) {
                *cell = text.into_bytes();
            }
        }
        if let Some(cell) =
            by.shape.id.and_then(|at| cells.get_mut(at)).filter(|cell| cell.trim_ascii().is_empty())
        {
            *cell = id.clone().into_bytes();
        }
        self.edits.insert(start, Edit::new(end, Some(cells)));
        Done::Edited { id, start }
    }

    fn add(&mut self, by: &Taking<'_>, row: &WriteRow) -> Done {
        let mut cells = vec![Vec::new(); by.shape.header.len()];
        for (at, text) in given(by, row) {
            if let Some(cell) = cells.get_mut(at) {
                *cell = text.into_bytes();
            }
        }
        let said = by.shape.id.and_then(|at| cells.get(at)).map(|cell| text_of(cell.trim_ascii()));
        let said = said.filter(|id| !id.is_empty());
        let taken = |id: &str| {
            by.layout.ids.has(hash(id.as_bytes())) || self.added.iter().any(|(known, _)| known == id)
        };
        let id = match said {
            Some(id) if taken(&id) => {
                return Done::Refused(row_error(
                    RowClass::Data,
                    "ID_TAKEN",
                    format!("{} has a row with the id {id} already.", name_of(&by.subject.path)),
                ));
            }
            Some(id) => id,
            None => {
                // The same row makes the same id, unless it stands there already.
                let seed: String = cells.iter().map(|cell| text_of(cell) + "\u{1f}").collect();
                let ids = (0_u64..).map(|number| made_from(&format!("{seed}{number}")));
                ids.into_iter().find(|id| !taken(id)).unwrap_or_default()
            }
        };
        if let Some(cell) = by.shape.id.and_then(|at| cells.get_mut(at)) {
            *cell = id.clone().into_bytes();
        }
        self.added.push((id.clone(), cells));
        Done::Added { id, at: self.added.len() - 1 }
    }

    /// Turns the cells of edited rows into bytes, and looks at the line ends around the rows.
    fn measure(&mut self, file: &File, shape: &Layout) -> io::Result<()> {
        let mut raw = Vec::new();
        for (start, edit) in &mut self.edits {
            let Some(cells) = &edit.cells else { continue };
            edit.bytes = shape.encoded(cells.iter().map(Vec::as_slice));
            let mut file = file;
            file.seek(SeekFrom::Start(*start))?;
            raw.clear();
            file.take(edit.end - start).read_to_end(&mut raw)?;
            edit.around = (line_ends_before(&raw).len() as u64, line_ends_behind(&raw).len() as u64);
        }
        Ok(())
    }

    /// What the file holds now, of every row of the batch.
    fn results(
        &self,
        shelf: &Shelf,
        subject: &Subject,
        shape: &Layout,
        batch: &WriteBatch,
    ) -> Vec<RowResult> {
        let reader = RecordReader::new(shelf, subject, shape, &batch.read_back);
        let record = |cells: &Cells| -> Record { reader.record(&ByteRecord::from_iter(cells)) };
        let result = |done: &Done| match done {
            Done::Edited { id, start } => {
                let cells = self.edits.get(start).and_then(|edit| edit.cells.as_ref());
                RowResult::Done { id: RecordId::new(id.as_str()), created: false, record: cells.map(record) }
            }
            Done::Added { id, at } => {
                let cells = self.added.get(*at).map(|(_, cells)| cells);
                RowResult::Done { id: RecordId::new(id.as_str()), created: true, record: cells.map(record) }
            }
            Done::Removed { id } => {
                RowResult::Done { id: RecordId::new(id.as_str()), created: false, record: None }
            }
            Done::Refused(error) => RowResult::Refused(error.clone()),
        };
        self.done.iter().map(result).collect()
    }

    /// Moves what is known of the rows to where they are now.
    fn carry_over(&self, layout: &mut Layout, shape: &Layout, version: Version) {
        let mut gone = Vec::new();
        let mut shifts: Vec<(u64, i64)> = Vec::with_capacity(self.edits.len());
        let mut shift = 0_i64;
        for (start, edit) in &self.edits {
            let length = if edit.cells.is_some() {
                edit.around.0 + edit.bytes.len() as u64 + edit.around.1
            } else {
                gone.push(*start);
                0
            };
            shift += length as i64 - (edit.end - start) as i64;
            shifts.push((edit.end, shift));
        }
        let to = |place: u64| {
            let at = shifts.partition_point(|(end, _)| *end <= place);
            let shift = at.checked_sub(1).and_then(|at| shifts.get(at)).map_or(0, |(_, shift)| *shift);
            place.saturating_add_signed(shift)
        };
        let old_size = layout.version.size;
        if !shifts.is_empty() {
            layout.ids.moved(&gone, to);
            layout.marks.moved(&gone, to);
        }
        for (start, edit) in &self.edits {
            let mark = edit.cells.as_ref().and_then(|cells| cells.get(shape.mark?));
            if let Some(mark) = mark.filter(|mark| !mark.is_empty()) {
                layout.marks.add(hash(mark), to(*start));
            }
        }
        let mut place = old_size.saturating_add_signed(shift);
        if !layout.ended && !self.added.is_empty() {
            place += layout.line_end.len() as u64;
        }
        for (id, cells) in &self.added {
            layout.ids.add(hash(id.as_bytes()), place);
            if let Some(mark) = shape.mark.and_then(|at| cells.get(at)).filter(|mark| !mark.is_empty()) {
                layout.marks.add(hash(mark), place);
            }
            place += (shape.encoded(cells.iter().map(Vec::as_slice)).len() + layout.line_end.len()) as u64;
        }
        layout.ended |= !self.added.is_empty();
        layout.version = version;
    }
}

/// The row that holds the mark of a new one.
fn marked(
    by: &Taking<'_>,
    rows: &mut Rows,
    row: &WriteRow,
) -> io::Result<Option<(String, u64, u64, ByteRecord)>> {
    let (Some(name), Some(column)) = (&by.batch.mark, by.layout.mark) else { return Ok(None) };
    let value = by.batch.selection.position(name).and_then(|at| row.values.get(at)?.as_ref());
    let Some(mark) = value.map(|value| by.subject.manner.text(value)).filter(|mark| !mark.is_empty()) else {
        return Ok(None);
    };
    for place in by.layout.marks.places(hash(mark.as_bytes())) {
        let mut cells = ByteRecord::new();
        rows.go(place)?;
        if let Some((start, end)) = rows.next(&mut cells)?
            && cells.get(column) == Some(mark.as_bytes())
        {
            return Ok(Some((by.layout.id_of(&cells), start, end, cells)));
        }
    }
    Ok(None)
}

/// The cells that a row of the batch names, by their columns.
fn given(by: &Taking<'_>, row: &WriteRow) -> Vec<(usize, String)> {
    let named = by.batch.selection.names().iter().zip(&row.values);
    named
        .filter_map(|(name, value)| Some((by.shape.position(name)?, by.subject.manner.text(value.as_ref()?))))
        .collect()
}

/// The fields of a file that is not there yet.
fn new_header(batch: &WriteBatch, wish: &Wish) -> Vec<String> {
    let id = wish.id.clone().unwrap_or_else(|| ID.to_owned());
    let mut header = vec![id];
    for name in batch.selection.names().iter().map(ToString::to_string).chain([wish.mark.clone()]) {
        if !header.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            header.push(name);
        }
    }
    header
}

/// The fields with those that the batch fills and the file lacks, and with ids.
fn header_after(layout: &Layout, batch: &WriteBatch, wish: &Wish) -> Vec<String> {
    let mut header = layout.header.clone();
    let filled = |at: usize| {
        let mut values = batch.rows.iter().filter_map(|row| row.values.get(at)?.as_ref());
        values.any(|value| !value.is_blank())
    };
    let lacking = batch.selection.names().iter().enumerate().filter(|(at, _)| filled(*at));
    let lacking = lacking.map(|(_, name)| name.to_string());
    let id = if batch.kind == WriteKind::Delete {
        None
    } else {
        Some(wish.id.clone().unwrap_or_else(|| ID.to_owned()))
    };
    for name in lacking.chain(id) {
        if !header.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            header.push(name);
        }
    }
    header
}

/// The new rows, each with its line end, behind the last line.
fn tail(layout: &Layout, shape: &Layout, added: &[(String, Cells)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !layout.ended && !added.is_empty() {
        bytes.extend_from_slice(layout.line_end.as_bytes());
    }
    for (_, cells) in added {
        bytes.extend(shape.encoded(cells.iter().map(Vec::as_slice)));
        bytes.extend_from_slice(layout.line_end.as_bytes());
    }
    bytes
}

fn header_row(shape: &Layout) -> Vec<u8> {
    shape.encoded(shape.header.iter().map(String::as_bytes))
}

fn draft_new(draft: &mut Draft, shape: &Layout, tail: &[u8]) -> io::Result<()> {
    draft.write_all(&header_row(shape))?;
    draft.write_all(shape.line_end.as_bytes())?;
    draft.write_all(tail)
}

/// The old version with some rows changed; everything else is copied as it stands.
fn draft_edited(draft: &mut Draft, file: &File, layout: &Layout, plan: &Plan, tail: &[u8]) -> io::Result<()> {
    let mut copied = 0;
    for (start, edit) in &plan.edits {
        if edit.cells.is_none() {
            draft.copy(file, copied, *start)?;
            copied = edit.end;
        } else {
            let (before, after) = edit.around;
            draft.copy(file, copied, start + before)?;
            draft.write_all(&edit.bytes)?;
            copied = edit.end - after;
        }
    }
    draft.copy(file, copied, layout.version.size)?;
    draft.write_all(tail)
}

/// The old version with more columns, or with ids where rows have none.
fn draft_widened(
    draft: &mut Draft,
    (file, subject): (&File, &Subject),
    layout: &Layout,
    shape: &Layout,
    plan: &Plan,
    tail: &[u8],
) -> io::Result<()> {
    let mut raw_file = File::open(&subject.path)?;
    draft.copy(file, 0, layout.head)?;
    draft.write_all(&header_row(shape))?;
    raw_file.seek(SeekFrom::Start(layout.head))?;
    let mut raw_reader = BufReader::with_capacity(64 * 1024, raw_file);
    let mut raw = Vec::new();
    let mut take = |raw: &mut Vec<u8>, length: u64| -> io::Result<()> {
        raw.clear();
        (&mut raw_reader).take(length).read_to_end(raw)?;
        Ok(())
    };
    take(&mut raw, layout.body - layout.head)?;
    draft.write_all(line_ends_behind(&raw))?;
    let mut rows = Rows::from(file, layout.delimiter, layout.body)?;
    let mut cells = ByteRecord::new();
    while let Some((start, end)) = rows.next(&mut cells)? {
        take(&mut raw, end - start)?;
        // A row that was added by us is known by its first byte, another by what stands before it.
        let edit = plan.edits.range(start..end).next().map(|(_, edit)| edit);
        if edit.is_some_and(|edit| edit.cells.is_none()) {
            continue;
        }
        draft.write_all(line_ends_before(&raw))?;
        let edited = edit.and_then(|edit| edit.cells.clone());
        let wide = edited.unwrap_or_else(|| {
            let mut wide: Cells = cells.iter().map(<[u8]>::to_vec).collect();
            wide.truncate(shape.header.len().max(layout.header.len()));
            wide.resize(shape.header.len(), Vec::new());
            if let Some(cell) =
                shape.id.and_then(|at| wide.get_mut(at)).filter(|cell| cell.trim_ascii().is_empty())
            {
                *cell = layout.id_of(&cells).into_bytes();
            }
            wide
        });
        draft.write_all(&shape.encoded(wide.iter().map(Vec::as_slice)))?;
        draft.write_all(line_ends_behind(&raw))?;
    }
    // The reader of rows leaves the second half of the last line end, and blank lines.
    io::copy(&mut raw_reader, draft)?;
    draft.write_all(tail)
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn line_ends_before(raw: &[u8]) -> &[u8] {
    let count = raw.iter().take_while(|byte| is_line_end(**byte)).count();
    raw.get(..count).unwrap_or_default()
}

fn line_ends_behind(raw: &[u8]) -> &[u8] {
    let count = raw.iter().rev().take_while(|byte| is_line_end(**byte)).count();
    raw.get(raw.len() - count..).unwrap_or_default()
}

fn text_of(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

fn row_error(class: RowClass, code: &str, message: String) -> RowError {
    RowError { code: code.into(), message, fields: Vec::new(), class }
}
