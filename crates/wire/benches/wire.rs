//! Decoding and encoding the twenty commonest messages, and the framer on 64 KiB with 1 to 10 messages a read.
//! `cargo xtask bench wire` compares the same frames with another codec.

#![allow(missing_docs, reason = "criterion_main makes a function without documentation")]
#![allow(unreachable_pub, reason = "the frames are shared with a crate outside of the workspace")]

#[path = "../../../bench/frames.rs"]
mod frames;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use frames::Either;
use selsius_wire::{Cut, DEFAULT_LIMIT, Framer, ManagerMessage, RawFrame, StationMessage, cut};

fn raw(bytes: &[u8]) -> RawFrame<'_> {
    match cut(bytes, DEFAULT_LIMIT) {
        Ok(Cut::Frame { frame, .. }) => frame,
        other => unreachable!("a whole frame: {other:?}"),
    }
}

fn decode(criterion: &mut Criterion) {
    let context = frames::dialect().context();
    let mut group = criterion.benchmark_group("decode");
    for case in frames::commonest() {
        group.bench_function(BenchmarkId::from_parameter(case.name), |bench| match case.message {
            Either::Station(_) => bench.iter(|| StationMessage::decode(raw(black_box(&case.bytes)), context)),
            Either::Manager(_) => bench.iter(|| ManagerMessage::decode(raw(black_box(&case.bytes)), context)),
        });
    }
}

fn encode(criterion: &mut Criterion) {
    let dialect = frames::dialect();
    let mut group = criterion.benchmark_group("encode");
    let mut out = Vec::with_capacity(4096);
    for case in frames::commonest() {
        group.bench_function(BenchmarkId::from_parameter(case.name), |bench| {
            bench.iter(|| {
                out.clear();
                match black_box(&case.message) {
                    Either::Station(message) => dialect.encode_station(message, &mut out),
                    Either::Manager(message) => dialect.encode_manager(message, &mut out),
                }
                out.len()
            });
        });
    }
}

fn framer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("framer, 64 KiB");
    for per_read in 1..=10 {
        let reads = frames::reads(per_read);
        let bytes = reads.iter().map(Vec::len).sum::<usize>();
        group.throughput(Throughput::Bytes(u64::try_from(bytes).unwrap_or(u64::MAX)));
        group.bench_function(BenchmarkId::from_parameter(per_read), |bench| {
            bench.iter(|| {
                let mut framer = Framer::new();
                let mut frames = 0;
                for read in &reads {
                    framer.feed(black_box(read));
                    while let Ok(Some(frame)) = framer.next() {
                        black_box(frame);
                        frames += 1;
                    }
                }
                frames
            });
        });
    }
}

criterion_group!(benches, decode, encode, framer);
criterion_main!(benches);
