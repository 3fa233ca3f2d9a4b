//! Signing in to Salesforce by browser, from the address to a session that is renewed: the real flow against the emulated org, with a
//! plain HTTP client for a browser.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use forcesync::connect::salesforce::{BrowserSignIn, Environment, Returned, SalesforceSecrets, SignIn};
use forcesync::console::app::effect::Effect;
use forcesync::console::app::message::Msg;
use forcesync::console::effects::Workshop;
use forcesync::console::event_loop::World;
use forcesync::ops::browser_sign_in::{self, Attempt, SignedIn, Stage as SignInStage};
use forcesync::ops::{Access, Missing, OpError, OpenOptions, Session, set_connection};
use forcesync::sandbox::faults::{Fault, FaultKind};
use forcesync::sandbox::org::{Approval, Org};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use crate::binary_stage::{self, Done, Stage};
use crate::scenario_stage::{Cast, Scene};

/// Far longer than anything takes; only a hanging test reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A port that no other test gets: below those that the system hands out by itself.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 20_000 + (std::process::id() % 600) as u16 * 20;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What a browser gets.
#[derive(Debug)]
struct Got {
    status: u16,
    location: Option<String>,
    page: String,
}

async fn get(address: &str) -> Got {
    let rest = address.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    let location = head.lines().find_map(|line| line.strip_prefix("location: ")).map(str::to_owned);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Got { status, location, page: page.to_owned() }
}

/// Signs in as a person does: opens the address and goes where it sends; the page that is shown at the end.
async fn browse(address: &str) -> String {
    let location = sent_back(address).await;
    get(&location).await.page
}

/// Where the browser is sent at the end.
async fn sent_back(address: &str) -> String {
    let got = get(address).await;
    assert_eq!(got.status, 302, "{got:?}");
    got.location.unwrap()
}

/// A small org, and a workspace that signs in to it by browser.
struct Scenery {
    stage: Stage,
    port: u16,
}

impl Scenery {
    async fn new() -> Self {
        let (stage, port) = (Stage::new(60).await, free_port());
        stage.sandbox().org().set_callback_urls(vec![format!("http://localhost:{port}/callback")]);
        let scenery = Self { stage, port };
        let changes = ["salesforce.sign_in=browser".to_owned(), format!("salesforce.callback_port={port}")];
        set_connection::set(&scenery.session(Access::ReadWrite), &changes).await.unwrap();
        scenery
    }

    fn org(&self) -> &Arc<Org> {
        self.stage.sandbox().org()
    }

    fn session(&self, access: Access) -> Session {
        let workspace = Some(self.stage.workspace());
        let options = OpenOptions { workspace, access, missing: Missing::Refuse };
        Session::open(&options, forcesync::ops::clock()).unwrap()
    }

    async fn begin(&self) -> Attempt {
        let session = self.session(Access::ReadWrite);
        browser_sign_in::begin(&session, &session.settings(), &[]).await.unwrap()
    }

    async fn refused(&self, change: impl FnOnce(&mut forcesync::workspace::settings::Settings)) -> OpError {
        let session = self.session(Access::ReadWrite);
        let mut settings = session.settings();
        change(&mut settings);
        match browser_sign_in::begin(&session, &settings, &[]).await {
            Err(error) => error,
            Ok(attempt) => match finish(attempt, async |address| drop(browse(&address).await)).await {
                Err(error) => error,
                Ok(signed_in) => panic!("{signed_in:?}"),
            },
        }
    }

    async fn settings_file(&self) -> String {
        tokio::fs::read_to_string(self.stage.workspace().join("forcesync.toml")).await.unwrap()
    }
}

/// Waits for a sign-in while somebody browses.
async fn finish(attempt: Attempt, browsing: impl AsyncFnOnce(String)) -> Result<SignedIn, OpError> {
    let (_sender, pasted) = mpsc::unbounded_channel();
    let (told, _) = watch::channel(SignInStage::Waiting);
    let address = attempt.address.clone();
    let both = async { tokio::join!(attempt.finish(pasted, &told), browsing(address)).0 };
    tokio::time::timeout(PATIENCE, both).await.expect("the sign-in hangs")
}

/// The command begun, and the first object that it printed.
fn begun(stage: &Stage) -> (std::process::Child, Value, BufReader<std::process::ChildStdout>) {
    let mut child = stage.spawn(&["connection", "sign-in", "--no-browser", "--json"]);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    if line.is_empty() {
        let done = Done::of(child.wait_with_output().unwrap());
        panic!("{done:?}");
    }
    (child, serde_json::from_str(&line).unwrap(), stdout)
}

async fn ended(mut child: std::process::Child, mut stdout: BufReader<std::process::ChildStdout>) -> Done {
    let waited = tokio::task::spawn_blocking(move || {
        let (mut said, mut noted) = (String::new(), String::new());
        stdout.read_to_string(&mut said).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut noted).unwrap();
        Done { code: child.wait().unwrap().code().unwrap_or(-1), stdout: said, stderr: noted }
    });
    tokio::time::timeout(PATIENCE, waited).await.expect("the binary hangs").unwrap()
}

/// By the command line, in processes of their own, in an org that replaces the refresh token at each renewal.
#[tokio::test(flavor = "multi_thread")]
async fn f142_who_signed_in_by_browser_can_check_run_and_start_again() {
    let scenery = Scenery::new().await;
    scenery.org().set_rotate_refresh_tokens(true);
    scenery.stage.run(&["check", "--json"]).await.says(2, &["nobody has signed in", "connection sign-in"]);
    let (child, first, stdout) = begun(&scenery.stage);
    assert_eq!((&first["event"], &first["opened"]), (&json!("sign_in"), &json!(false)));
    assert_eq!(first["callback"], format!("http://localhost:{}/callback", scenery.port));
    let page = browse(first["address"].as_str().unwrap()).await;
    assert!(page.contains("<h1>Signed in</h1>") && page.contains("You can close this page."), "{page}");
    assert!(page.contains("integration@northwind.example"), "{page}");
    let done = ended(child, stdout).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        done.last(),
        json!({
            "event": "signed_in", "user": "integration@northwind.example", "org_id": scenery.org().org_id(),
            "org": "Northwind Outdoor", "sandbox": false, "refresh_token": "vault",
        })
    );
    // Each of these is a process that renews the session, and with it the token.
    for command in
        [&["check"][..], &["connection", "test"], &["sync", "initial"], &["sync", "instant"], &["check"]]
    {
        let done = scenery.stage.run(command).await;
        assert_eq!(done.code, 0, "{command:?}: {done:?}");
    }
    assert_eq!(scenery.org().refresh_tokens(), 1);
    let file = scenery.settings_file().await;
    assert!(file.contains("sign_in = \"browser\"") && !file.contains("5Aep861"), "{file}");
    // Nothing that opens the org is written down anywhere but in the vault.
    for entry in walk(&scenery.stage.workspace()) {
        let bytes = std::fs::read(&entry).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for secret in ["5Aep861", "aPrx", "code_verifier"] {
            assert!(!text.contains(secret), "{secret} stands in {}", entry.display());
        }
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files.extend(walk(&entry.path())),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_calls_a_sign_in_off_and_a_refusal_is_blocked() {
    let scenery = Scenery::new().await;
    let (child, _, stdout) = begun(&scenery.stage);
    binary_stage::signal(&child, "INT");
    let done = ended(child, stdout).await;
    done.says(130, &["nobody is signed in"]);
    scenery.org().set_approval(Approval::Denied);
    let (child, first, stdout) = begun(&scenery.stage);
    let page = browse(first["address"].as_str().unwrap()).await;
    assert!(page.contains("<h1>Not signed in</h1>") && page.contains("refused in the browser"), "{page}");
    let done = ended(child, stdout).await;
    done.says(7, &["refused in the browser", "begin anew", "end-user denied authorization"]);
    assert_eq!(done.last()["code"], "access_denied");
}

#[rstest]
#[case(Approval::Denied, "access_denied", 7, &["choose “Allow”", "Begin anew"])]
#[case(Approval::WrongCode, "invalid_grant", 7, &["code", "anew"])]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_person_does_is_told(
    #[case] approval: Approval,
    #[case] code: &str,
    #[case] exit: u8,
    #[case] words: &[&str],
) {
    let scenery = Scenery::new().await;
    scenery.org().set_approval(approval);
    let error = scenery.refused(|_| {}).await;
    assert_eq!((error.code.as_str(), error.class.exit_code()), (code, exit), "{error:?}");
    for word in words {
        assert!(error.message.contains(word), "“{word}” is missing in: {}", error.message);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_and_the_settings_lack_is_told() {
    let scenery = Scenery::new().await;
    scenery.org().set_app_scopes(vec!["api".into()]);
    let error = scenery.refused(|_| {}).await;
    assert_eq!((error.code.as_str(), error.class.exit_code()), ("invalid_scope", 2));
    assert!(error.message.contains("refresh_token, offline_access"), "{}", error.message);
    scenery.org().set_app_scopes(vec!["api".into(), "refresh_token".into()]);
    let error =
        scenery.refused(|settings| settings.salesforce.org_id = Some("00D000000000062EAA".into())).await;
    assert_eq!((error.code.as_str(), error.class.exit_code()), ("ANOTHER_ORG", 2));
    let error = scenery
        .refused(|settings| settings.salesforce.sign_in = forcesync::workspace::settings::SignIn::Soap)
        .await;
    assert_eq!((error.code.as_str(), error.class.exit_code()), ("not_by_browser", 2));
    let error = scenery.refused(|settings| settings.salesforce.client_id.clear()).await;
    assert_eq!((error.code.as_str(), error.class.exit_code()), ("MISSING_SETTING", 2));
    let session = scenery.session(Access::ReadOnly);
    let error = browser_sign_in::begin(&session, &session.settings(), &[]).await.err().unwrap();
    assert_eq!((error.code.as_str(), error.class.exit_code()), ("read_only", 2));
    // None of them left anything behind.
    assert!(!scenery.settings_file().await.contains("5Aep"));
    let states = forcesync::ops::secrets::states(&session).await.unwrap();
    let name = forcesync::workspace::secrets::SecretName::SalesforceRefreshToken;
    assert!(states.contains(&(name, forcesync::workspace::secrets::SecretPlace::Absent)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_url_that_the_app_does_not_know_never_comes_back() {
    let scenery = Scenery::new().await;
    scenery.org().set_callback_urls(vec!["http://localhost:1717/OauthRedirect".into()]);
    let attempt = scenery.begin().await;
    let got = get(&attempt.address).await;
    assert!(got.status == 400 && got.page.contains("redirect_uri_mismatch"), "{got:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_told_and_one_that_is_given_up_is_free_again() {
    let scenery = Scenery::new().await;
    let first = scenery.begin().await;
    let error = scenery.refused(|_| {}).await;
    assert_eq!((error.code.as_str(), error.class.exit_code()), ("port_in_use", 1));
    assert!(error.message.contains("callback_port") && error.message.contains("taken"), "{}", error.message);
    drop(first);
    // The system needs a moment to take a port back from a task that ended.
    let second = tokio::time::timeout(PATIENCE, async {
        let session = scenery.session(Access::ReadWrite);
        loop {
            match browser_sign_in::begin(&session, &session.settings(), &[]).await {
                Ok(attempt) => return attempt,
                Err(_taken) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    })
    .await
    .expect("the port never came back");
    let signed_in = finish(second, async |address| drop(browse(&address).await)).await.unwrap();
    assert_eq!(signed_in.org_id, scenery.org().org_id());
}

/// An older tab, somebody who guesses, and a page that is loaded twice: none of them ends the sign-in or is let in.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_answered_and_waited_past() {
    let scenery = Scenery::new().await;
    let attempt = scenery.begin().await;
    let (callback, address) = (attempt.callback.clone(), attempt.address.clone());
    let (_sender, pasted) = mpsc::unbounded_channel();
    let (told, heard) = watch::channel(SignInStage::Waiting);
    let browsing = async {
        for odd in ["?code=a&state=b", "", "?error=access_denied", "?state="] {
            let got = get(&format!("{callback}{odd}")).await;
            assert!(got.page.contains("Not this sign-in"), "{odd}: {got:?}");
        }
        assert!(
            matches!(&*heard.borrow(), SignInStage::Odd(sentence) if sentence.contains("another sign-in"))
        );
        let elsewhere = get(&callback.replace("/callback", "/other")).await;
        assert_eq!(elsewhere.status, 404);
        // While the org takes its time, the same page is loaded again.
        let slow = Fault { ms: Some(500), ..Fault::new(FaultKind::Slow) };
        scenery.stage.sandbox().arm_fault(slow.on("oauth2/token"));
        let location = sent_back(&address).await;
        let (first, second) = tokio::join!(get(&location), async {
            heard.clone().wait_for(|stage| *stage == SignInStage::Returned).await.unwrap();
            get(&location).await
        });
        assert!(first.page.contains("<h1>Signed in</h1>"), "{first:?}");
        assert!(second.page.contains("being dealt with already"), "{second:?}");
    };
    let (done, ()) = tokio::join!(attempt.finish(pasted, &told), browsing);
    assert_eq!(done.unwrap().org, "Northwind Outdoor");
    assert_eq!(*heard.borrow(), SignInStage::Returned);
    assert_eq!(scenery.org().refresh_tokens(), 1);
}

/// Over a remote shell the browser runs elsewhere, and the address to which it was sent is pasted.
#[tokio::test(flavor = "multi_thread")]
async fn the_address_to_which_a_far_browser_came_can_be_pasted() {
    let scenery = Scenery::new().await;
    let attempt = scenery.begin().await;
    let location = sent_back(&attempt.address).await;
    let (sender, pasted) = mpsc::unbounded_channel();
    let (told, heard) = watch::channel(SignInStage::Waiting);
    sender.send("what is this".into()).unwrap();
    sender.send(location).unwrap();
    let done = attempt.finish(pasted, &told).await.unwrap();
    assert_eq!(done.user, "integration@northwind.example");
    assert_eq!(*heard.borrow(), SignInStage::Returned);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_waited_for_longer_than_five_minutes() {
    let scene = Scene::new(Cast::of(60)).await;
    let port = free_port();
    scene
        .set(|settings| {
            settings.salesforce.sign_in = forcesync::workspace::settings::SignIn::Browser;
            settings.salesforce.callback_port = port;
        })
        .await;
    let session = scene.session();
    let attempt = browser_sign_in::begin(session, &session.settings(), &[]).await.unwrap();
    let error = finish(attempt, async |_| {}).await.unwrap_err();
    assert_eq!((error.code.as_str(), error.class.exit_code()), ("timed_out", 1));
    assert!(error.message.contains(&format!("http://localhost:{port}/callback")), "{}", error.message);
}

/// Several connections of a workspace renew at once, as a run and a test do: none uses a token that is dead already.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_renewed_at_once_share_the_token_that_is_replaced() {
    let scenery = Scenery::new().await;
    scenery.org().set_rotate_refresh_tokens(true);
    let signed_in =
        finish(scenery.begin().await, async |address| drop(browse(&address).await)).await.unwrap();
    assert_eq!(signed_in.org_id, scenery.org().org_id());
    let tests = (0..4).map(|_| {
        // A session that only reads keeps a new token as well: the old one is dead.
        let session = scenery.session(Access::ReadOnly);
        tokio::spawn(async move { forcesync::ops::check::check(&session).await })
    });
    for test in tests.collect::<Vec<_>>() {
        let report = test.await.unwrap().unwrap();
        assert_eq!(report.exit_code(), 0, "{:?}", report.lines);
    }
    assert_eq!(scenery.org().refresh_tokens(), 1);
}

/// One that comes from a variable can't be replaced there: the process that got a new one goes on by it, the next one is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_environment_is_used_as_long_as_it_counts() {
    const VARIABLE: &str = "FORCESYNC_SALESFORCE_REFRESH_TOKEN";
    let scenery = Scenery::new().await;
    let (workspace, token) = (scenery.stage.workspace(), scenery.org().refresh_token());
    let run = async |arguments: &[&str]| {
        let mut command = binary_stage::command(&workspace, arguments);
        command.env(VARIABLE, &token);
        binary_stage::finish(command, "").await
    };
    run(&["connection", "sign-in"]).await.says(2, &[VARIABLE, "unset the variable"]);
    scenery.org().set_rotate_refresh_tokens(true);
    let done = run(&["check"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    run(&["check", "--json"]).await.says(7, &["sign-in by browser has ended", "connection sign-in"]);
}

/// An org that gives a session and nothing to renew it with.
#[tokio::test]
async fn an_org_that_gives_no_refresh_token_is_told_what_it_lacks() {
    let reply = json!({
        "access_token": "00D!x", "instance_url": "http://127.0.0.1:1",
        "id": "https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P",
    });
    let router =
        Router::new().route("/services/oauth2/token", post(move || async move { axum::Json(reply) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    let settings = forcesync::connect::salesforce::SalesforceSettings {
        environment: Environment::Custom(address),
        sign_in: SignIn::RefreshToken,
        client_id: "key".into(),
        ..Default::default()
    };
    let sign_in = BrowserSignIn::new("http://localhost:8717/callback").unwrap();
    let asked = sign_in.address(&settings).unwrap();
    let state = asked.split("&state=").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
    let Returned::Code(code) = sign_in.returned(&settings, &format!("code=a&state={state}")) else {
        panic!("the state is ours")
    };
    let exchanged =
        sign_in.exchange(&settings, &SalesforceSecrets::default(), &code, forcesync::ops::clock()).await;
    let error = exchanged.unwrap_err();
    assert_eq!(error.code, "NO_REFRESH_TOKEN");
    assert!(error.message.contains("offline_access"), "{}", error.message);
}

/// The console's own hands: the dialog's messages come in their order, and closing it gives the port back.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_signs_in_and_calls_off() {
    let scenery = Scenery::new().await;
    let session = scenery.session(Access::ReadWrite);
    let mut workshop = Workshop::new(session.clone());
    let (sender, mut answers) = mpsc::unbounded_channel();
    let sign_in = || Effect::SignIn { settings: Box::new(session.settings()), typed: Vec::new() };
    let mut next =
        async || tokio::time::timeout(PATIENCE, answers.recv()).await.expect("nothing came").unwrap();
    workshop.perform(sign_in(), &sender);
    assert!(matches!(next().await, Msg::SignInBegun { .. }));
    workshop.perform(Effect::StopSignIn, &sender);
    let given_back = async {
        while TcpListener::bind(("127.0.0.1", scenery.port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, given_back).await.expect("the port never came back");
    let address = loop {
        workshop.perform(sign_in(), &sender);
        match next().await {
            Msg::SignInBegun { address, .. } => break address,
            // The port is not back yet.
            Msg::SignedIn(Err(_taken)) => tokio::time::sleep(Duration::from_millis(10)).await,
            other => panic!("{other:?}"),
        }
    };
    workshop.perform(Effect::SignInPasted("nothing of ours".into()), &sender);
    assert!(matches!(next().await, Msg::SignInStage(SignInStage::Odd(_))));
    let page = browse(&address).await;
    assert!(page.contains("Signed in as"), "{page}");
    let signed_in = loop {
        match next().await {
            Msg::SignInStage(_) => {}
            Msg::SignedIn(answer) => break answer.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(signed_in.org, "Northwind Outdoor");
}
