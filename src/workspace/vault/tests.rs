//! Tests of the vault.

use super::*;

const NAME: SecretName = SecretName::SalesmanagoApiSecret;
const CHEAP: Cost = Cost { memory_kib: 64, passes: 1 };

fn passphrase(text: &str) -> KeySource {
    KeySource::Passphrase(SecretString::from(text))
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

struct Fixture {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        Self { folder, path }
    }

    fn with_secret() -> Self {
        let fixture = Self::new();
        let vault = Vault::create(&fixture.path, &passphrase("open"), CHEAP).unwrap();
        vault.set(NAME, &secret("swordfish")).unwrap();
        fixture
    }

    fn edit(&self, edit: impl FnOnce(&mut serde_json::Value)) {
        let mut json = serde_json::from_slice(&fs::read(&self.path).unwrap()).unwrap();
        edit(&mut json);
        private_file::replace(&self.path, &serde_json::to_vec(&json).unwrap()).unwrap();
    }

    fn get(&self) -> Result<Option<SecretString>, WorkspaceError> {
        Vault::open(&self.path, &passphrase("open"))?.get(NAME)
    }
}

#[test]
fn a_secret_comes_back_after_reopening_and_is_nowhere_in_the_file() {
    let fixture = Fixture::with_secret();
    assert_eq!(fixture.get().unwrap().unwrap().expose_secret(), "swordfish");
    assert_eq!(private_file::open_to_others(&fixture.path), None);
    let text = fs::read_to_string(&fixture.path).unwrap();
    assert!(!text.contains("swordfish"));
    assert_eq!(Vault::names(&fixture.path).unwrap(), [NAME]);
    assert_eq!(Vault::lock_of(&fixture.path).unwrap(), VaultLock::Passphrase);
}

#[test]
fn the_same_secret_is_sealed_differently_each_time() {
    let fixture = Fixture::with_secret();
    let before = fs::read_to_string(&fixture.path).unwrap();
    Vault::open(&fixture.path, &passphrase("open")).unwrap().set(NAME, &secret("swordfish")).unwrap();
    assert_ne!(fs::read_to_string(&fixture.path).unwrap(), before);
}

#[test]
fn a_removed_secret_is_gone() {
    let fixture = Fixture::with_secret();
    let vault = Vault::open(&fixture.path, &passphrase("open")).unwrap();
    assert!(vault.remove(NAME).unwrap());
    assert!(!vault.remove(NAME).unwrap());
    assert!(vault.get(NAME).unwrap().is_none());
}

#[test]
fn a_wrong_passphrase_is_told_from_damage() {
    let fixture = Fixture::with_secret();
    let error = Vault::open(&fixture.path, &passphrase("sesame")).unwrap_err();
    assert!(matches!(error, WorkspaceError::WrongPassphrase(_)), "{error}");
}

#[test]
fn a_changed_or_swapped_entry_is_noticed() {
    let fixture = Fixture::with_secret();
    fixture.edit(|json| {
        let other = json["entries"]["salesmanago.api_secret"].clone();
        json["entries"]["salesforce.password"] = other;
    });
    let vault = Vault::open(&fixture.path, &passphrase("open")).unwrap();
    let error = vault.get(SecretName::SalesforcePassword).unwrap_err();
    assert!(
        matches!(error, WorkspaceError::VaultTampered { name: SecretName::SalesforcePassword, .. }),
        "{error}"
    );
    assert!(vault.get(NAME).is_ok());
    fixture.edit(|json| json["entries"]["salesmanago.api_secret"]["sealed"] = "AAAA".into());
    assert!(matches!(fixture.get(), Err(WorkspaceError::VaultTampered { .. })));
}

#[test]
fn a_truncated_empty_or_foreign_file_is_damaged() {
    let fixture = Fixture::with_secret();
    let whole = fs::read(&fixture.path).unwrap();
    for length in [0, 1, whole.len() / 2, whole.len() - 3] {
        private_file::replace(&fixture.path, &whole[..length]).unwrap();
        let error = fixture.get().unwrap_err();
        assert!(matches!(error, WorkspaceError::VaultDamaged { .. }), "{length}: {error}");
    }
    private_file::replace(&fixture.path, b"[1, 2]").unwrap();
    assert!(fixture.get().unwrap_err().to_string().contains("it is no vault"));
}

#[test]
fn a_forged_cost_does_not_take_the_machine_down() {
    let fixture = Fixture::with_secret();
    fixture.edit(|json| json["key"]["memory_kib"] = u32::MAX.into());
    assert!(matches!(fixture.get(), Err(WorkspaceError::VaultDamaged { .. })));
}

#[test]
fn a_vault_of_a_newer_version_is_left_alone() {
    let fixture = Fixture::with_secret();
    fixture.edit(|json| json["format"] = 2.into());
    assert!(matches!(fixture.get(), Err(WorkspaceError::VaultNewer(_))));
}

#[cfg(unix)]
fn open_up(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

#[cfg(unix)]
#[test]
fn files_that_others_can_read_are_refused() {
    let fixture = Fixture::with_secret();
    open_up(&fixture.path);
    let error = fixture.get().unwrap_err().to_string();
    assert!(error.contains("mode 644") && error.contains("chmod 600"), "{error}");
}

#[test]
fn a_key_file_opens_its_vault_and_no_other() {
    let fixture = Fixture::new();
    let file = |name: &str| KeySource::KeyFile(fixture.folder.path().join("keys").join(name));
    let vault = Vault::create(&fixture.path, &file("one"), Cost::default()).unwrap();
    vault.set(NAME, &secret("swordfish")).unwrap();
    assert_eq!(Vault::lock_of(&fixture.path).unwrap(), VaultLock::KeyFile);
    let again = Vault::open(&fixture.path, &file("one")).unwrap();
    assert_eq!(again.get(NAME).unwrap().unwrap().expose_secret(), "swordfish");

    Vault::create(&fixture.folder.path().join("other"), &file("two"), Cost::default()).unwrap();
    let open = |name: &str| Vault::open(&fixture.path, &file(name)).unwrap_err();
    assert!(matches!(open("two"), WorkspaceError::WrongKeyFile(_)));
    assert!(matches!(open("three"), WorkspaceError::KeyFileMissing(_)));
    fs::write(fixture.folder.path().join("keys/three"), "x").unwrap();
    let path = fixture.folder.path().join("keys/three");
    private_file::replace(&path, b"no key").unwrap();
    assert!(matches!(open("three"), WorkspaceError::KeyFileUnreadable(_)));
    #[cfg(unix)]
    {
        open_up(&fixture.folder.path().join("keys/one"));
        assert!(matches!(open("one"), WorkspaceError::OpenToOthers { .. }));
    }
    assert!(matches!(Vault::open(&fixture.path, &passphrase("x")), Err(WorkspaceError::KeyFileMissing(_))));
}
