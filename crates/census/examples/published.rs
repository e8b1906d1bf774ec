//! What `cargo xtask published` compares: `published FILE` reads lines `fen,weight` and prints the coefficient of Gini and the
//! at-risk-of-poverty rate, both times 100.
#![expect(clippy::unwrap_used, reason = "for a comparison, not for users")]

use std::num::NonZero;

use daohu_census::indices::{Asked, Chosen, Incomes, Ladder, Part, Persons};

fn main() {
    let file = std::env::args_os().nth(1).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    let rows = text.lines().map(|line| line.split_once(',').unwrap());
    let (fen, weights): (Vec<i64>, Vec<i32>) = rows
        .map(|(fen, weight)| (fen.parse::<i64>().unwrap(), weight.parse::<i32>().unwrap()))
        .unzip();
    let asked = Asked { chosen: Chosen::All, threads: NonZero::<usize>::MIN };
    let ladder = Ladder::of(Incomes::new(&fen, Persons::new(&weights)), asked);
    let rate = ladder.at_risk(Part { part: 3, of: 5 }).unwrap().rate;
    println!("{} {}", 100.0 * ladder.gini().unwrap(), 100.0 * rate.share().unwrap());
}
