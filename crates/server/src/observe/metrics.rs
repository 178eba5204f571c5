//! From plain numbers to Prometheus' text format. docs/operations.md has a table of all names, which a test holds against
//! what is exported.

use prometheus::{
    Encoder, TextEncoder,
    core::Collector,
    process_collector::ProcessCollector,
    proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType},
};
use selsius_exchange::{Durations, record::EndCause};
use selsius_sip::Figures;
use selsius_store::StoreStatus;

use crate::{
    core::{COMMANDS, Heard, HeardBy, Metrics, Spread, Spreads},
    media::Status,
    recordings::Shortfall,
};

/// What the answer is.
pub(super) const CONTENT: &str = prometheus::TEXT_FORMAT;

/// All figures. Without those of the exchange, and of the media thread, if it does not answer.
pub(super) fn text(
    exchange: Option<&Metrics>,
    media: Option<&Status>,
    (commands, orders): (usize, usize),
    (trunks, phones, sip): &(Vec<(String, bool)>, (usize, usize), Figures),
    recordings: &Shortfall,
    store: &StoreStatus,
) -> String {
    let mut families = Families::default();
    families.gauge("selsius_up", "Does the exchange answer?", f64::from(exchange.is_some()));
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    families.add(
        "selsius_build_info",
        "The version that runs.",
        MetricType::GAUGE,
        vec![gauge(&version, 1.0)],
    );
    if let Some(metrics) = exchange {
        families.phones(metrics);
        families.calls(metrics);
        families.network(metrics);
    }
    if let Some(media) = media {
        families.media(media);
    }
    families.sip(trunks, *phones, sip);
    families.recordings(recordings);
    families.gauge("selsius_media_orders_waiting", "Orders that wait for the media thread.", orders as f64);
    families.gauge(
        "selsius_commands_waiting",
        "Commands of administration and services that wait for the exchange.",
        commands as f64,
    );
    families.gauge("selsius_commands_capacity", "Commands that may wait; more are refused.", COMMANDS as f64);
    families.store(store, exchange.map_or(0, |metrics| metrics.network.records_lost));
    // The process itself, as every exporter tells of it: memory, CPU, files.
    families.0.extend(ProcessCollector::for_self().collect());
    let mut text = Vec::new();
    // A family without metrics is the only thing that it refuses; such ones are not added.
    if let Err(error) = TextEncoder::new().encode(&families.0, &mut text) {
        tracing::error!(%error, "figures are missing");
    }
    String::from_utf8(text).unwrap_or_default()
}

#[derive(Default)]
struct Families(Vec<MetricFamily>);

impl Families {
    fn phones(&mut self, metrics: &Metrics) {
        let (counters, tally) = (&metrics.counters, &metrics.tally);
        self.gauge("selsius_registered_phones", "Phones that are registered.", metrics.sizes.devices as f64);
        self.gauge("selsius_configured_phones", "Phones that the site has.", metrics.configured as f64);
        self.counter("selsius_registrations_total", "Phones that registered.", counters.registrations);
        self.counter(
            "selsius_unregistrations_total",
            "Registered phones that went or were lost.",
            tally.unregistered,
        );
        self.counter("selsius_registrations_rejected_total", "Phones that were refused.", tally.rejected);
        self.counter("selsius_phone_alarms_total", "Alarms that phones sent.", tally.alarms);
        self.histogram(
            "selsius_register_to_ready_seconds",
            "From Register until the phone had all that it asked for.",
            &counters.register_to_ready,
        );
    }

    fn calls(&mut self, metrics: &Metrics) {
        let tally = &metrics.tally;
        let calls = metrics.calls.iter().map(|&(phase, count)| gauge(&[("state", phase)], count as f64));
        self.add("selsius_calls", "Calls in progress.", MetricType::GAUGE, calls.collect());
        self.gauge(
            "selsius_legs",
            "Parts of calls: one for each phone or trunk in one.",
            metrics.sizes.legs as f64,
        );
        self.counter(
            "selsius_calls_started_total",
            "Calls whose number was complete.",
            metrics.counters.calls,
        );
        let causes = EndCause::ALL.iter().zip(tally.ended);
        let ended = causes.map(|(cause, count)| counter(&[("cause", cause.name())], count));
        self.add(
            "selsius_calls_ended_total",
            "Calls that ended, by why.",
            MetricType::COUNTER,
            ended.collect(),
        );
        self.histogram(
            "selsius_call_setup_seconds",
            "From a call's last digit, as read, until the ringing or the refusal was written.",
            &tally.call_setup,
        );
        self.histogram("selsius_call_ringing_seconds", "How long answered calls rang.", &tally.ringing);
        self.histogram("selsius_call_talking_seconds", "How long answered calls were.", &tally.talking);
        self.heard(&tally.heard);
    }

    fn heard(&mut self, heard: &Heard) {
        type Of = fn(&Spreads) -> &Spread;
        let families: [(&str, &str, Of); 4] = [
            (
                "selsius_audio_mos",
                "How good the audio of legs sounded (estimated mean opinion score).",
                |all| &all.mos,
            ),
            ("selsius_audio_loss_ratio", "Share of packets of audio that did not come.", |all| &all.loss),
            ("selsius_audio_jitter_seconds", "How unevenly packets of audio came.", |all| &all.jitter),
            ("selsius_audio_round_trip_seconds", "From who has counted to the other side and back.", |all| {
                &all.round_trip
            }),
        ];
        for (name, help, of) in families {
            let metrics = heard.iter().map(|(ear, spreads)| {
                let heard_by = match ear.heard_by {
                    HeardBy::Party => "party",
                    HeardBy::Manager => "manager",
                };
                let leg = if ear.trunk.is_some() { "trunk" } else { "phone" };
                let trunk = ear.trunk.as_deref().unwrap_or_default();
                let labels = [("heard_by", heard_by), ("leg", leg), ("trunk", trunk)];
                let spread = of(spreads);
                histogram(&labels, spread.cumulative(), spread.count(), spread.sum())
            });
            self.add(name, help, MetricType::HISTOGRAM, metrics.collect());
        }
    }

    fn network(&mut self, metrics: &Metrics) {
        let (network, tally) = (&metrics.network, &metrics.tally);
        self.gauge("selsius_connections", "Connections of phones that are open.", network.connections as f64);
        self.gauge(
            "selsius_connections_unregistered",
            "Those of them on which no phone has registered.",
            metrics.unregistered as f64,
        );
        self.counter(
            "selsius_connections_accepted_total",
            "Connections that were accepted.",
            network.accepted,
        );
        let refused = tally.connections_refused().map(|(limit, count)| counter(&[("limit", limit)], count));
        self.add(
            "selsius_connections_refused_total",
            "Connections that were refused, by the limit.",
            MetricType::COUNTER,
            refused.collect(),
        );
        let held = "How often a connection was read more slowly because it said too much.";
        self.counter("selsius_connections_held_total", held, network.held);
        let dropped = [("slow", network.slow), ("garbage", network.garbage), ("flood", network.floods)];
        let dropped = dropped.map(|(reason, count)| counter(&[("reason", reason)], count));
        self.add(
            "selsius_connections_dropped_total",
            "Connections that were dropped: the phone did not read (slow), spoke no SCCP (garbage), said too much (flood).",
            MetricType::COUNTER,
            dropped.into(),
        );
        let unread = "Bytes that phones have not read yet.";
        self.gauge("selsius_unread_bytes", unread, network.unread as f64);
        let received = tally.received.seen().map(|(name, count)| ("in", name, count));
        let sent = tally.sent.seen().map(|(name, count)| ("out", name, count));
        let messages = received.chain(sent).map(|(direction, message, count)| {
            counter(&[("direction", direction), ("message", message)], count)
        });
        self.add(
            "selsius_messages_total",
            "Messages from phones (in) and to them (out).",
            MetricType::COUNTER,
            messages.collect(),
        );
        let refused = metrics.counters.refused.iter();
        self.add(
            "selsius_messages_refused_total",
            "What phones said and was refused or ignored, by why.",
            MetricType::COUNTER,
            refused.map(|(reason, &count)| counter(&[("reason", reason)], count)).collect(),
        );
        self.gauge("selsius_timers", "Deadlines that are set.", metrics.sizes.timers as f64);
        self.histogram(
            "selsius_exchange_turn_seconds",
            "How long the exchange was busy each time that it had something to do.",
            &tally.turns,
        );
        let overloaded = f64::from(metrics.overloaded);
        self.gauge(
            "selsius_overloaded",
            "Are new calls refused because there is too much to do?",
            overloaded,
        );
        self.counter("selsius_overloads_total", "How often that began.", network.overloads);
        let crashes = "Crashes of the exchange, after each of which it began again.";
        self.counter("selsius_exchange_crashes_total", crashes, network.crashes);
    }

    fn media(&mut self, media: &Status) {
        let counters = &media.counters;
        let parties = "Parties whose audio goes through the manager.";
        self.gauge("selsius_media_parties", parties, media.parties as f64);
        self.gauge(
            "selsius_media_bridges",
            "Conferences that they are in, those of two included.",
            media.bridges as f64,
        );
        self.gauge("selsius_media_ports_free", "Pairs of ports that are free.", media.free_ports as f64);
        self.counter(
            "selsius_media_refused_total",
            "Parties without audio, since there was no port or their codec does not fit.",
            media.refused,
        );
        let packets = [("in", counters.received), ("out", counters.sent)];
        let packets = packets.map(|(direction, count)| counter(&[("direction", direction)], count));
        self.add(
            "selsius_media_packets_total",
            "Packets of audio and reports from parties (in) and to them (out).",
            MetricType::COUNTER,
            packets.into(),
        );
        let dropped = [
            ("stranger", counters.strangers),
            ("malformed", counters.malformed),
            ("unexpected", counters.unexpected),
            ("flood", counters.floods),
            ("late", counters.late),
            ("forged", media.forged),
            ("replayed", media.replayed),
            ("unsent", media.unsent + counters.dropped),
        ];
        let dropped = dropped.map(|(reason, count)| counter(&[("reason", reason)], count));
        self.add(
            "selsius_media_packets_dropped_total",
            "Packets that were dropped: not from the party (stranger), not RTP (malformed), of another codec (unexpected), too many (flood), too late to be mixed (late), not encrypted with the keys of their party (forged), there before (replayed), not taken by the system (unsent).",
            MetricType::COUNTER,
            dropped.into(),
        );
        let crashes = "Crashes of the media thread, after each of which it began again.";
        self.counter("selsius_media_crashes_total", crashes, media.crashes);
    }

    fn sip(&mut self, trunks: &[(String, bool)], (phones, places): (usize, usize), figures: &Figures) {
        let up = |(name, up): &(String, bool)| gauge(&[("trunk", name)], f64::from(*up));
        if !trunks.is_empty() {
            self.add(
                "selsius_sip_trunk_up",
                "Is the trunk registered, or does it answer?",
                MetricType::GAUGE,
                trunks.iter().map(up).collect(),
            );
        }
        self.gauge("selsius_sip_phones_registered", "SIP phones that are registered.", phones as f64);
        self.gauge(
            "selsius_sip_phone_places",
            "Places where SIP phones are registered: one may be at several.",
            places as f64,
        );
        let refused = [
            ("stranger", figures.strangers),
            ("malformed", figures.malformed),
            ("unknown-method", figures.unknown_methods),
            ("limited", figures.limited),
            ("unauthorized", figures.unauthorized),
            ("throttled", figures.throttled),
            ("lost", figures.lost),
        ];
        let refused = refused.map(|(reason, count)| counter(&[("reason", reason)], count));
        self.add(
            "selsius_sip_refused_total",
            "SIP that was refused: from addresses that no trunk has (stranger), no SIP or too long (malformed), of a method that is not known (unknown-method), calls beyond a trunk's limits (limited), with wrong credentials (unauthorized), with credentials that were not looked at after too many wrong ones (throttled), events that the exchange had no room for (lost).",
            MetricType::COUNTER,
            refused.into(),
        );
    }

    fn recordings(&mut self, recordings: &Shortfall) {
        let running = "Calls that are recorded at present.";
        self.gauge("selsius_recordings", running, recordings.running() as f64);
        let failures = "Recordings that could not be written, or not to their end.";
        self.counter("selsius_recording_failures_total", failures, recordings.failures());
        let lost = "Frames of 20 ms that recordings lack because the disk was too slow.";
        self.counter("selsius_recording_frames_lost_total", lost, recordings.lost_frames());
    }

    fn store(&mut self, store: &StoreStatus, in_crash: u64) {
        self.gauge("selsius_store_records_waiting", "Records that wait to be written.", store.waiting as f64);
        self.gauge(
            "selsius_store_queue_capacity",
            "Records that may wait; more are given up.",
            store.capacity as f64,
        );
        self.counter("selsius_store_records_written_total", "Records that were written.", store.written);
        let lost = store.lost.by_kind().into_iter().chain([("in-crash", in_crash)]);
        let lost = lost.map(|(kind, count)| counter(&[("kind", kind)], count)).collect();
        self.add(
            "selsius_store_records_lost_total",
            "Records that were given up because too many waited, or that nobody took in a crash.",
            MetricType::COUNTER,
            lost,
        );
        self.counter("selsius_store_write_failures_total", "Attempts to write that failed.", store.failures);
        let failing = f64::from(store.failing.is_some());
        self.gauge("selsius_store_failing", "Does the database refuse records at present?", failing);
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.add(name, help, MetricType::GAUGE, vec![gauge(&[], value)]);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.add(name, help, MetricType::COUNTER, vec![counter(&[], value)]);
    }

    fn histogram(&mut self, name: &str, help: &str, durations: &Durations) {
        let buckets = durations.cumulative().map(|(bound, count)| (bound.as_secs_f64(), count));
        let metric = histogram(&[], buckets, durations.count(), durations.sum().as_secs_f64());
        self.add(name, help, MetricType::HISTOGRAM, vec![metric]);
    }

    fn add(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        if metrics.is_empty() {
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.into());
        family.set_help(help.into());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.0.push(family);
    }
}

fn gauge(labels: &[(&str, &str)], value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let mut metric = labelled(labels);
    metric.set_gauge(gauge);
    metric
}

fn counter(labels: &[(&str, &str)], value: u64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value as f64);
    let mut metric = labelled(labels);
    metric.set_counter(counter);
    metric
}

fn histogram(
    labels: &[(&str, &str)],
    cumulative: impl Iterator<Item = (f64, u64)>,
    count: u64,
    sum: f64,
) -> Metric {
    let buckets = cumulative.map(|(bound, count)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(count);
    histogram.set_sample_sum(sum);
    let mut metric = labelled(labels);
    metric.set_histogram(histogram);
    metric
}

fn labelled(labels: &[(&str, &str)]) -> Metric {
    let pairs = labels.iter().map(|&(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.into());
        pair.set_value(value.into());
        pair
    });
    let mut metric = Metric::default();
    metric.set_label(pairs.collect());
    metric
}
