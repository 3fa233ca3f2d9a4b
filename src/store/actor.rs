//! The one writer: a thread that owns the connection; every call is one transaction.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::oneshot;

use crate::store::{StoreError, migrations};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The writing half of the state database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    writer: Arc<Writer>,
    /// Held for as long as what is written is to be taken back.
    _rehearsal: Option<Arc<Rehearsal>>,
}

/// Takes back at its end what was written since it began.
struct Rehearsal {
    writer: Arc<Writer>,
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        // A thread of its own takes it back by closing its connection.
        if let Writer::Inline(db) = &*self.writer {
            let _ = db.lock().unwrap_or_else(PoisonError::into_inner).execute_batch("ROLLBACK");
        }
    }
}

enum Writer {
    Thread(Thread),
    /// Runs each call where it is made, so that a simulation stays on one thread (law E18).
    Inline(Mutex<Connection>),
}

struct Thread {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        // The channel must close before the thread can end.
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(handle) = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = handle.join();
        }
    }
}

/// How hard a transaction is pushed to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// In order, but the last ones may be lost with the power.
    Normal,
    /// On the disk before the call returns (the journal, law E6).
    Full,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Store").finish_non_exhaustive()
    }
}

/// Opens a connection for writing and brings its schema up to date.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let mut db = Connection::open(path)?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    let _mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    db.pragma_update(None, "cache_size", -16_000)?;
    // A page that many transactions touch goes from the log to the file once.
    db.pragma_update(None, "wal_autocheckpoint", 6_000)?;
    db.pragma_update(None, "temp_store", "FILE")?;
    db.pragma_update(None, "journal_size_limit", 32 * 1024 * 1024)?;
    // More than there are statements: one that falls out is parsed again at its next use.
    db.set_prepared_statement_cache_capacity(512);
    // A plan may not depend on what is bound, else SQLite plans a statement anew at each binding that a partial index could suit.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Many ids are looked up by one statement.
    rusqlite::vtab::array::load_module(&db)?;
    migrations::apply(&mut db)?;
    super::scratch::make(&db)?;
    if super::forget::any(&db)? {
        // Who was forgotten still exists on either side, and passes through when it changes.
        let _on: i64 = db.query_row("PRAGMA secure_delete = ON", [], |row| row.get(0))?;
    }
    Ok(db)
}

/// Opens a database for the lines of a plan alone.
fn scratch(path: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "temp_store", "FILE")?;
    db.pragma_update(None, "cache_size", -8_000)?;
    db.execute_batch(migrations::PLANS)?;
    Ok(db)
}

fn run<T>(
    db: &mut Connection,
    durability: Durability,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if !db.is_autocommit() {
        // A rehearsal: one step of what is taken back as a whole, so nothing of it has to reach the disk.
        let step = db.savepoint()?;
        let value = work(&step)?;
        step.commit()?;
        return Ok(value);
    }
    if durability == Durability::Full {
        db.pragma_update(None, "synchronous", "FULL")?;
    }
    let result = transaction(db, work);
    if durability == Durability::Full {
        db.pragma_update(None, "synchronous", "NORMAL")?;
    }
    result
}

/// One transaction, begun and ended by statements that are parsed once: most calls are so short that parsing would show.
fn transaction<T>(
    db: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    /// Takes the transaction back unless it was committed, also where the work panics.
    struct Open<'a>(&'a Connection);
    impl Drop for Open<'_> {
        fn drop(&mut self) {
            // Some failures, such as a full disk, have taken it back already.
            if !self.0.is_autocommit() {
                let _ = self.0.execute_batch("ROLLBACK");
            }
        }
    }
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let open = Open(db);
    let value = work(db)?;
    open.0.prepare_cached("COMMIT")?.execute([])?;
    Ok(value)
}

impl Store {
    /// Opens or makes the database and starts its thread.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::begin(connect(path)?)
    }

    /// Gives a connection a thread of its own.
    fn begin(mut db: Connection) -> Result<Self, StoreError> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let handle = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                while let Ok(job) = inbox.recv() {
                    job(&mut db);
                }
            })
            .map_err(|error| StoreError::Unusable(error.to_string()))?;
        Ok(Self {
            writer: Arc::new(Writer::Thread(Thread {
                jobs: Mutex::new(Some(jobs)),
                handle: Mutex::new(Some(handle)),
            })),
            _rehearsal: None,
        })
    }

    /// Opens a database whose calls run where they are made; for simulations.
    pub fn open_inline(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { writer: Arc::new(Writer::Inline(Mutex::new(connect(path)?))), _rehearsal: None })
    }

    /// A store over the same database of which nothing remains: all that is written through it is one transaction, which is taken
    /// back when the last of its clones is dropped. Until then others can read, but not write.
    pub async fn rehearse(&self) -> Result<Self, StoreError> {
        let apart = match &*self.writer {
            // A simulation has one connection, and nobody else who could write through it.
            Writer::Inline(_) => self.clone(),
            Writer::Thread(_) => {
                let path = self.raw(|db| Ok(db.path().unwrap_or_default().to_owned())).await?;
                Self::open(Path::new(&path))?
            }
        };
        apart.raw(|db| Ok(db.execute_batch("BEGIN IMMEDIATE")?)).await?;
        let rehearsal = Arc::new(Rehearsal { writer: Arc::clone(&apart.writer) });
        Ok(Self { _rehearsal: Some(rehearsal), ..apart })
    }

    /// An empty store for the lines of a plan that nobody else sees; what memory does not hold goes to a file that has no name.
    pub fn scratch(&self) -> Result<Self, StoreError> {
        match &*self.writer {
            Writer::Inline(_) => {
                let db = scratch(Path::new(":memory:"))?;
                Ok(Self { writer: Arc::new(Writer::Inline(Mutex::new(db))), _rehearsal: None })
            }
            Writer::Thread(_) => Self::begin(scratch(Path::new(""))?),
        }
    }

    /// Limits the size of the file, in pages of 4 KiB; beyond it every write is [`StoreError::Full`].
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        self.raw(move |db| Ok(db.pragma_update(None, "max_page_count", pages)?)).await
    }

    /// Runs `work` as one transaction; an error takes all of it back.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.raw(move |db| run(db, Durability::Normal, work)).await
    }

    /// Like [`Store::write`], and on the disk when it returns.
    pub async fn write_durably<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.raw(move |db| run(db, Durability::Full, work)).await
    }

    /// Like [`Store::write_durably`], for what must not be found again: what is deleted is overwritten, and the file and its
    /// write-ahead log are rewritten before the call returns. Takes as long as copying the file does.
    pub async fn erase<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.raw(move |db| {
            let _on: i64 = db.query_row("PRAGMA secure_delete = ON", [], |row| row.get(0))?;
            let result = run(db, Durability::Full, work)?;
            db.execute_batch("VACUUM")?;
            // A reader in the middle of a page holds old pages back; it is waited for as long as for any lock.
            let held: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if held != 0 { Err(StoreError::Busy) } else { Ok(result) }
        })
        .await
    }

    async fn raw<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &*self.writer {
            Writer::Inline(db) => work(&mut db.lock().unwrap_or_else(PoisonError::into_inner)),
            Writer::Thread(thread) => {
                let (done, result) = oneshot::channel();
                let job: Job = Box::new(move |db| {
                    let _ = done.send(work(db));
                });
                thread
                    .jobs
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .as_ref()
                    .and_then(|jobs| jobs.send(job).ok())
                    .ok_or(StoreError::Closed)?;
                result.await.unwrap_or(Err(StoreError::Closed))
            }
        }
    }
}
