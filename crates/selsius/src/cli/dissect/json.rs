//! One JSON object a line, for programs.

use std::{collections::BTreeMap, fmt::Write as _, io::Write};

use anyhow::Result;
use jiff::Timestamp;
use selsius_inspect::{
    conversation::{Closed, ConnectionId, Opened, Seen, Side, Trouble},
    fields::{self, json_text},
    ss7::{Label, Message, PROTOCOL},
};
use selsius_wire::Time;

use super::{View, ss7};

/// The view. What is wrong between messages is told with the next message of its connection.
#[derive(Default)]
pub(super) struct Json {
    line: String,
    before: BTreeMap<ConnectionId, Vec<String>>,
}

/// Kept for a connection on which no message follows.
const MOST_TROUBLES: usize = 16;

impl View for Json {
    fn seen(&mut self, seen: &Seen, ends: &Opened, out: &mut dyn Write) -> Result<()> {
        let line = &mut self.line;
        line.clear();
        let (src, dst) = match seen.from {
            Side::Station => (ends.station, ends.manager),
            Side::Manager => (ends.manager, ends.station),
        };
        let _ = write!(
            line,
            r#"{{"frame":{},"time":"{:.6}","stream":{},"src":"{src}","dst":"{dst}","from":"{}","device":"#,
            seen.packets.last,
            timestamp(seen.time),
            seen.connection,
            seen.from
        );
        match &seen.device {
            Some(device) => json_text(device, line),
            None => line.push_str("null"),
        }
        let message = &seen.message;
        let _ = write!(
            line,
            r#","version":{},"id":"{:#06x}","name":"{}","length":{},"fields":"#,
            seen.version,
            message.id(),
            message.name(),
            message.length()
        );
        fields::json(message, line);
        line.push_str(",\"anomalies\":[");
        let before = self.before.remove(&seen.connection).unwrap_or_default();
        let own = message.anomalies().iter().map(ToString::to_string);
        for (index, anomaly) in before.into_iter().chain(own).enumerate() {
            line.push_str(if index > 0 { "," } else { "" });
            json_text(&anomaly, line);
        }
        line.push_str("],\"answers\":");
        let _ = match &seen.answers {
            Some(answer) => write!(line, "{}", answer.packet),
            None => write!(line, "null"),
        };
        line.push_str("}\n");
        out.write_all(line.as_bytes())?;
        Ok(())
    }

    fn ss7(&mut self, message: &Message, out: &mut dyn Write) -> Result<()> {
        let line = &mut self.line;
        line.clear();
        let _ = write!(
            line,
            r#"{{"protocol":"{PROTOCOL}","frame":{},"time":"{:.6}","#,
            message.stamp.number,
            timestamp(message.stamp.time)
        );
        let _ = match message.ends {
            Some((src, dst)) => write!(line, r#""src":"{src}","dst":"{dst}","#),
            None => write!(line, r#""src":null,"dst":null,"#),
        };
        let _ = match message.label {
            Some(Label { opc, dpc, network, priority, sls }) => write!(
                line,
                r#""opc":{opc},"dpc":{dpc},"network":{network},"priority":{priority},"sls":{sls},"#
            ),
            None => write!(line, r#""opc":null,"dpc":null,"network":null,"priority":null,"sls":null,"#),
        };
        let Message { id, name, length, .. } = message;
        let _ = write!(line, r#""id":"{id:#04x}","name":"{name}","length":{length},"fields":"#);
        ss7::json(&message.fields, line);
        line.push_str(",\"anomalies\":[");
        for (index, anomaly) in message.anomalies.iter().enumerate() {
            line.push_str(if index > 0 { "," } else { "" });
            json_text(anomaly, line);
        }
        line.push_str("]}\n");
        out.write_all(line.as_bytes())?;
        Ok(())
    }

    fn trouble(&mut self, trouble: &Trouble, _: &Opened, _: &mut dyn Write) -> Result<()> {
        let before = self.before.entry(trouble.connection).or_default();
        if before.len() < MOST_TROUBLES {
            before.push(format!("before this message, from the {}: {}", trouble.from, trouble.kind));
        }
        Ok(())
    }

    fn closed(&mut self, closed: &Closed, _: &Opened) {
        self.before.remove(&closed.connection);
    }
}

fn timestamp(time: Time) -> Timestamp {
    let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}
