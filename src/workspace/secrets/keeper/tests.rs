//! Tests of where secrets come from and go.

use secrecy::ExposeSecret;

use super::*;
use crate::workspace::keyring::fake::{MemoryKeyring, NoKeyring};

const NAME: SecretName = SecretName::SalesforcePassword;
const CHEAP: Cost = Cost { memory_kib: 64, passes: 1 };

struct Fixture {
    _folder: tempfile::TempDir,
    workspace: Workspace,
    keyring: Arc<dyn KeyringBackend>,
}

impl Fixture {
    fn new(keyring: impl KeyringBackend + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::open_or_create(&folder.path().join("w")).unwrap();
        Self { _folder: folder, workspace, keyring: Arc::new(keyring) }
    }

    /// Secrets as a new process would see them; key files stay inside the fixture.
    fn secrets(&self, choice: Option<SecretsPlace>, variables: &[(&str, &str)]) -> Secrets {
        let key_file = self.workspace.folder.join("outside/key").to_string_lossy().into_owned();
        let all = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .chain([("FORCESYNC_KEY_FILE".to_owned(), key_file)]);
        let variables = Variables::from_pairs(all);
        Secrets::with_keyring(&self.workspace, choice, variables, Arc::clone(&self.keyring)).with_cost(CHEAP)
    }
}

fn text(found: Result<Option<SecretString>, WorkspaceError>) -> Option<String> {
    found.unwrap().map(|value| value.expose_secret().to_owned())
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

#[test]
fn the_keyring_keeps_secrets_where_one_answers() {
    let fixture = Fixture::new(MemoryKeyring::default());
    let secrets = fixture.secrets(None, &[]);
    assert_eq!(text(secrets.get(NAME)), None);
    secrets.set(NAME, &secret("swordfish")).unwrap();
    assert_eq!(text(fixture.secrets(None, &[]).get(NAME)).as_deref(), Some("swordfish"));
    assert!(!fixture.workspace.vault.exists());
    assert!(secrets.states().unwrap().contains(&(NAME, SecretPlace::Keyring)));
    assert!(!secrets.needs_passphrase());
}

#[test]
fn without_a_keyring_a_vault_with_a_key_file_is_made_unasked() {
    let fixture = Fixture::new(NoKeyring);
    let secrets = fixture.secrets(None, &[]);
    assert_eq!(text(secrets.get(NAME)), None);
    secrets.set(NAME, &secret("swordfish")).unwrap();
    assert_eq!(text(fixture.secrets(None, &[]).get(NAME)).as_deref(), Some("swordfish"));
    assert!(fixture.workspace.vault.exists());
    assert!(secrets.remove(NAME).unwrap());
    assert_eq!(text(secrets.get(NAME)), None);
}

#[test]
fn a_passphrase_is_asked_for_once() {
    let fixture = Fixture::new(NoKeyring);
    fixture.secrets(None, &[("FORCESYNC_PASSPHRASE", "open")]).set(NAME, &secret("swordfish")).unwrap();
    let secrets = fixture.secrets(None, &[]);
    assert!(secrets.needs_passphrase());
    assert!(matches!(secrets.get(NAME), Err(WorkspaceError::PassphraseNeeded)));
    assert!(secrets.states().unwrap().contains(&(NAME, SecretPlace::Vault)));
    assert!(matches!(secrets.unlock(secret("sesame")), Err(WorkspaceError::WrongPassphrase(_))));
    assert!(secrets.needs_passphrase());
    secrets.unlock(secret("open")).unwrap();
    assert!(!secrets.needs_passphrase());
    assert_eq!(text(secrets.get(NAME)).as_deref(), Some("swordfish"));
}

#[test]
fn the_environment_comes_first_and_is_not_changed() {
    let fixture = Fixture::new(MemoryKeyring::default());
    fixture.secrets(None, &[]).set(NAME, &secret("kept")).unwrap();
    let secrets = fixture.secrets(None, &[("FORCESYNC_SALESFORCE_PASSWORD", "given")]);
    assert_eq!(text(secrets.get(NAME)).as_deref(), Some("given"));
    assert!(matches!(secrets.set(NAME, &secret("new")), Err(WorkspaceError::FromEnvironment(NAME))));
    assert!(matches!(secrets.remove(NAME), Err(WorkspaceError::FromEnvironment(NAME))));
    assert!(secrets.states().unwrap().contains(&(NAME, SecretPlace::Environment)));
}

#[test]
fn a_key_beside_the_vault_is_found() {
    let fixture = Fixture::new(MemoryKeyring::default());
    let beside = KeySource::KeyFile(fixture.workspace.vault_key.clone());
    let vault = Vault::create(&fixture.workspace.vault, &beside, CHEAP).unwrap();
    vault.set(NAME, &secret("swordfish")).unwrap();
    let secrets =
        Secrets::with_keyring(&fixture.workspace, None, Variables::default(), Arc::clone(&fixture.keyring));
    assert_eq!(secrets.place(), SecretsPlace::Vault);
    assert_eq!(text(secrets.get(NAME)).as_deref(), Some("swordfish"));
}

#[test]
fn secrets_move_between_the_stores_without_loss() {
    let fixture = Fixture::new(MemoryKeyring::default());
    fixture.secrets(None, &[]).set(NAME, &secret("swordfish")).unwrap();
    let moved = fixture.secrets(None, &[]).move_to(SecretsPlace::Vault).unwrap();
    assert_eq!(moved, [NAME]);
    assert_eq!(text(fixture.secrets(Some(SecretsPlace::Vault), &[]).get(NAME)).as_deref(), Some("swordfish"));
    assert_eq!(text(fixture.secrets(Some(SecretsPlace::Keyring), &[]).get(NAME)), None);
    let back = fixture.secrets(Some(SecretsPlace::Vault), &[]).move_to(SecretsPlace::Keyring).unwrap();
    assert_eq!(back, [NAME]);
    assert_eq!(
        text(fixture.secrets(Some(SecretsPlace::Keyring), &[]).get(NAME)).as_deref(),
        Some("swordfish")
    );
}

#[test]
fn a_missing_secret_says_how_to_give_it() {
    let fixture = Fixture::new(NoKeyring);
    let error = fixture.secrets(None, &[]).require(NAME).unwrap_err().to_string();
    assert!(error.contains("secret set salesforce.password"), "{error}");
    assert!(error.contains("FORCESYNC_SALESFORCE_PASSWORD"), "{error}");
}

#[test]
fn a_vault_removed_meanwhile_is_made_again() {
    let fixture = Fixture::new(NoKeyring);
    let secrets = fixture.secrets(None, &[]);
    secrets.set(NAME, &secret("one")).unwrap();
    std::fs::remove_file(&fixture.workspace.vault).unwrap();
    assert_eq!(text(secrets.get(NAME)), None);
    secrets.set(NAME, &secret("two")).unwrap();
    assert_eq!(text(secrets.get(NAME)).as_deref(), Some("two"));
}
