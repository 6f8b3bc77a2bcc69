//! `make bench-cluster`: what an AnalysisJob costs on a real cluster, beside its goals.
//!
//! ```text
//!   start.rs     from `kubectl apply` to the first worker that runs: real pods
//!   overhead.rs  1,000 indexes of ours and of a bare Indexed Job, by turns, on a paper node; the operator's own use
//!   paper.rs     a node that is only an object: its pods end as soon as they are bound
//!   weight.rs    the images
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a benchmark that cannot set its stage falls over

#[path = "../../../operator/benches/operator/figures.rs"]
#[allow(dead_code)] // the operator's benchmark uses the rest
mod figures;
mod overhead;
mod paper;
mod start;
#[path = "../../tests/support/mod.rs"]
mod support;
mod weight;

use figures::Section;

#[tokio::main]
async fn main() {
    let mut figures = vec![start::first_worker(5).await];
    figures.extend(overhead::of_a_thousand_indexes(3).await);
    figures.extend(weight::of_the_images());
    let about = format!(
        "By `make bench-cluster`, on {}, which is node and control plane too. The pods of the thousand indexes are on a \
         paper node: they end as soon as they are bound, so that nothing but Kubernetes and the operator takes time.",
        figures::machine(),
    );
    figures::tell(&Section { title: "Cluster", about }, &figures);
}
