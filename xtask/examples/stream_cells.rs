//! A yardstick of `cargo xtask bench`: reads every cell of a workbook with calamine and does nothing
//! with it. `stream_cells FILE.xlsx` prints how many cells there were.

use anyhow::Context;
use calamine::{DataRef, Reader, Xlsx, open_workbook};

fn main() -> anyhow::Result<()> {
    let path = std::env::args_os().nth(1).context("stream_cells FILE.xlsx")?;
    let mut workbook: Xlsx<_> = open_workbook(path)?;
    let mut cells = 0_u64;
    for sheet in workbook.sheet_names() {
        let mut reader = workbook.worksheet_cells_reader(&sheet)?;
        while let Some(cell) = reader.next_cell()? {
            // An empty cell carries only its style.
            cells += u64::from(!matches!(cell.get_value(), DataRef::Empty));
        }
    }
    println!("{cells}");
    Ok(())
}
