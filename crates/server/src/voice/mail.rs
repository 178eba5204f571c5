//! Messages by e-mail, through the operator's mail server. The message stays in its mailbox whatever becomes of the e-mail.

use std::{sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{Attachment, MultiPart, SinglePart, header::ContentType},
    transport::smtp::authentication::Credentials,
};
use selsius_voice::{Language, MessageId};
use tokio::{sync::mpsc, time::sleep};

use super::Voice;
use crate::config::{MailConfig, MailTls};

/// A message that is to be sent.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) to: String,
    pub(super) mailbox: String,
    pub(super) id: MessageId,
    pub(super) zone: TimeZone,
    pub(super) language: Language,
}

/// Letters that may wait; more are not sent.
pub(super) const LETTERS: usize = 1000;
/// How long to wait before the server is tried again, each time.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(1800),
];
/// How long the server may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Why a letter is not sent.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("address is none")]
    Address(#[from] lettre::address::AddressError),
    #[error("letter cannot be written")]
    Letter(#[from] lettre::error::Error),
    #[error("message cannot be read")]
    File(#[from] std::io::Error),
    #[error("server does not take it")]
    Server(#[from] lettre::transport::smtp::Error),
}

impl MailError {
    /// Is there no sense in trying again?
    fn is_final(&self) -> bool {
        match self {
            Self::Server(error) => error.is_permanent(),
            Self::Address(_) | Self::Letter(_) | Self::File(_) => true,
        }
    }
}

/// Sends letters, one after the other.
pub(super) async fn send(voice: Arc<Voice>, config: MailConfig, mut letters: mpsc::Receiver<Letter>) {
    let transport = match transport(&config) {
        Ok(Some(transport)) => transport,
        Ok(None) => return,
        Err(error) => return tracing::error!(%error, "messages are not sent by e-mail"),
    };
    while let Some(letter) = letters.recv().await {
        let mut pauses = PAUSES.into_iter();
        while let Err(error) = send_one(&voice, &transport, &config.from, &letter).await {
            let again = pauses.next().filter(|_| !error.is_final());
            let (mailbox, source) = (&letter.mailbox, std::error::Error::source(&error));
            let reason = source.map(ToString::to_string);
            tracing::warn!(mailbox, %error, reason, again_in = ?again, "message not sent by e-mail");
            let Some(pause) = again else { break };
            sleep(pause).await;
        }
    }
}

fn transport(config: &MailConfig) -> Result<Option<Transport>, lettre::transport::smtp::Error> {
    let Some(server) = &config.server else { return Ok(None) };
    let (host, port) = match server.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)))
    {
        Some((host, port)) => (host, Some(port)),
        None => (server.as_str(), None),
    };
    let builder = match config.tls {
        MailTls::Tls => Transport::relay(host)?,
        MailTls::Starttls => Transport::starttls_relay(host)?,
        MailTls::None => Transport::builder_dangerous(host),
    };
    let mut builder = builder.timeout(Some(PATIENCE));
    if let Some(port) = port {
        builder = builder.port(port);
    }
    if !config.user.is_empty() {
        builder = builder.credentials(Credentials::new(config.user.clone(), config.password.as_str().into()));
    }
    Ok(Some(builder.build()))
}

async fn send_one(
    voice: &Arc<Voice>,
    transport: &Transport,
    from: &str,
    letter: &Letter,
) -> Result<(), MailError> {
    let (number, id, zone) = (letter.mailbox.clone(), letter.id, letter.zone.clone());
    let read = voice.disk(move |voice| {
        let mailbox = voice.mailboxes.look(&number, &zone);
        let message = mailbox.messages.into_iter().find(|message| message.id == id)?;
        Some((message, voice.mailboxes.find(&number, id).map(std::fs::read)?))
    });
    // Deleted meanwhile: its owner knows it.
    let Some((message, sound)) = read.await.map_err(std::io::Error::other)? else { return Ok(()) };
    let caller = if message.caller.is_empty() { "?" } else { &message.caller };
    let (mailbox, at) = (&letter.mailbox, message.at.strftime("%Y-%m-%d %H:%M"));
    let (subject, text) = match letter.language {
        Language::English => {
            (format!("Voice message from {caller}"), format!("From {caller}, for {mailbox}, {at}.\r\n"))
        }
        Language::German => {
            (format!("Sprachnachricht von {caller}"), format!("Von {caller}, für {mailbox}, {at}.\r\n"))
        }
    };
    let name = format!("{}-{caller}.wav", message.at.strftime("%Y%m%d-%H%M%S"));
    let wav = ContentType::parse("audio/wav").expect("it is a type of media");
    let parts = MultiPart::mixed()
        .singlepart(SinglePart::plain(text))
        .singlepart(Attachment::new(name).body(sound?, wav));
    let written = lettre::Message::builder()
        .from(from.parse()?)
        .to(letter.to.parse()?)
        .subject(subject)
        .message_id(None)
        .multipart(parts)?;
    transport.send(written).await?;
    Ok(())
}
