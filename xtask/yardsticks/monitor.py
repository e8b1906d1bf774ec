#!/usr/bin/env python3
"""A yardstick of `cargo xtask bench monitor`: the national guarantees over the sheets of the exchange format, in DuckDB or numpy.

usage: monitor.py DIR --on 2015-12-31 --line 2855 [--engine duckdb|numpy] [--runs 5] [--threads 2] [--out statuses.csv]

Prints one JSON line: seconds (median) from loaded native tables to one status for each rule and household. --out writes 户编号, income,
food, clothing, education, health, housing, water (met, unmet, unknown), by 户编号, to be compared line by line. Loading is told apart.
"""
import argparse, json, statistics, sys, time

a = argparse.ArgumentParser(); a.add_argument('dir'); a.add_argument('--on', default='2015-12-31'); a.add_argument('--line', type=float, default=2855)
a.add_argument('--engine', default='duckdb'); a.add_argument('--runs', type=int, default=5); a.add_argument('--threads', type=int, default=2); a.add_argument('--out')
o = a.parse_args(); year, month, day = map(int, o.on.split('-')); line_fen = round(o.line * 100)

# Coded columns, as any serious implementation would hold them: 1 yes, 0 no, -1 not known.
YN = lambda c: f"CASE {c} WHEN '是' THEN 1 WHEN '否' THEN 0 ELSE -1 END"
HH = f"""SELECT CAST("户编号" AS BIGINT) id, {YN('"是否不愁吃"')} food, {YN('"是否不愁穿"')} cloth, {YN('"是否危房户"')} unsafe,
 CASE "危房等级" WHEN 'A' THEN 1 WHEN 'B' THEN 2 WHEN 'C' THEN 3 WHEN 'D' THEN 4 ELSE 0 END grade,
 {YN('"饮水是否困难"')} hard, {YN('"饮水是否安全"')} safe FROM households ORDER BY 1"""
PP = f"""SELECT CAST("户编号" AS BIGINT) id, CAST(substr("证件号码",7,8) AS INTEGER) birth, {YN('"是否失学辍学"')} dropped,
 CASE WHEN "失学原因" IN ('因病','因残') THEN 1 ELSE 0 END excused, CASE WHEN coalesce("在校生状况",'')<>'' THEN 1 ELSE 0 END school,
 {YN('"城乡居民基本医疗保险"')} resident, {YN('"职工基本医疗保险"')} employee, {YN('"大病保险"')} critical FROM persons
 WHERE NOT (coalesce("变动类型",'') IN ('死亡','婚出','迁出','参军','服刑','失踪','分户迁出','其他减少') AND coalesce("变动日期",'')<>'' AND "变动日期"<='{o.on}') ORDER BY 1"""
FEN = lambda c: f"CAST(round(100*CAST(nullif(\"{c}\",'') AS DECIMAL(16,2))) AS BIGINT)"
II = f"""SELECT CAST("户编号" AS BIGINT) id, CAST(nullif("家庭人口",'') AS INTEGER) n, {FEN('工资性收入')} w, {FEN('生产经营性收入')} b,
 {FEN('财产性收入')} p, {FEN('转移性收入')} t, {FEN('生产经营性支出')} c FROM incomes WHERE CAST("年度" AS INTEGER)={year} ORDER BY 1"""
today = year * 10000 + month * 100 + day                                  # age in completed years = (today - birth) / 10000
# per head in fen, half away from zero: sign * (2|net| + n) / (2n)
EVAL = f"""SELECT h.id,
 CASE WHEN i.n IS NULL OR i.n < 1 OR coalesce(i.w,i.b,i.p,i.t) IS NULL THEN 2
      WHEN sign(i.net)*((2*abs(i.net)+i.n)/(2*nullif(i.n,0))) >= {line_fen} THEN 1 ELSE 0 END income,
 CASE food WHEN -1 THEN 2 ELSE food END food, CASE cloth WHEN -1 THEN 2 ELSE cloth END clothing,
 CASE WHEN m.id IS NULL THEN 2 WHEN m.e0=1 THEN 0 WHEN m.e2=1 THEN 2 ELSE 1 END education,
 CASE WHEN m.id IS NULL THEN 2 WHEN m.h0=1 THEN 0 WHEN m.h2=1 THEN 2 ELSE 1 END health,
 CASE WHEN unsafe=1 OR grade>=3 THEN 0 WHEN unsafe=0 OR grade IN (1,2) THEN 1 ELSE 2 END housing,
 CASE WHEN safe=0 OR hard=1 THEN 0 WHEN safe=1 THEN 1 ELSE 2 END water
FROM hh h LEFT JOIN (SELECT *, coalesce(w,0)+coalesce(b,0)+coalesce(p,0)+coalesce(t,0)-coalesce(c,0) net FROM ii) i ON i.id=h.id
LEFT JOIN (SELECT id,
  max(CASE WHEN {today}-birth>=60000 AND {today}-birth<160000 AND dropped=1 AND excused=0 THEN 1 ELSE 0 END) e0,
  max(CASE WHEN {today}-birth>=60000 AND {today}-birth<160000 AND dropped=-1 AND school=0 THEN 1 ELSE 0 END) e2,
  max(CASE WHEN (resident=0 AND employee=0) OR critical=0 THEN 1 ELSE 0 END) h0,
  max(CASE WHEN NOT ((resident=1 OR employee=1) AND critical=1) THEN 1 ELSE 0 END) h2
  FROM pp GROUP BY id) m ON m.id=h.id"""
RULES = 'income food clothing education health housing water'.split()
WORD = {0: 'unmet', 1: 'met', 2: 'unknown'}

def timed(run):
    ts = []
    for _ in range(o.runs):
        t = time.perf_counter(); r = run(); ts.append(time.perf_counter() - t)
    return statistics.median(ts), r

t0 = time.perf_counter()
if o.engine in ('duckdb', 'numpy'):
    import duckdb
    c = duckdb.connect(); c.execute(f'SET threads={o.threads}')
    for n in ('households', 'persons', 'incomes'):
        c.execute(f"CREATE VIEW {n} AS SELECT * FROM read_csv('{o.dir}/{n}.csv', all_varchar=true, header=true)")
    for n, q in (('hh', HH), ('pp', PP), ('ii', II)): c.execute(f'CREATE TABLE {n} AS {q}')
    load_s = time.perf_counter() - t0
if o.engine == 'duckdb':
    def run(): c.execute('CREATE OR REPLACE TEMP TABLE st AS ' + EVAL.replace('/(2*nullif', '//(2*nullif'))
    s, _ = timed(run); rows = c.execute('SELECT * FROM st ORDER BY id').fetchall()
else:
    import numpy as np
    H = {k: v for k, v in c.execute('SELECT * FROM hh ORDER BY id').fetchnumpy().items()}
    P = c.execute('SELECT * FROM pp ORDER BY id').fetchnumpy(); I = c.execute('SELECT * FROM ii ORDER BY id').fetchnumpy()
    small = lambda x: np.asarray(x).astype('i1')
    for k in ('food', 'cloth', 'unsafe', 'grade', 'hard', 'safe'): H[k] = small(H[k])
    Q = {k: small(P[k]) for k in ('dropped', 'excused', 'school', 'resident', 'employee', 'critical')}; birth = np.asarray(P['birth']).astype('i4')
    hid, pid, iid = (np.asarray(x['id']) for x in (H, P, I)); pos = np.searchsorted(hid, pid); ipos = np.searchsorted(hid, iid)
    start = np.flatnonzero(np.r_[True, pos[1:] != pos[:-1]]); owner = pos[start]
    fill = lambda k: np.ma.filled(np.ma.asarray(I[k]).astype('i8'), 0); have = lambda k: ~np.ma.getmaskarray(np.ma.asarray(I[k]))
    cols = {k: fill(k) for k in 'nwbptc'}; known = have('n') & (fill('n') >= 1) & (have('w') | have('b') | have('p') | have('t'))
    def run():
        n = np.maximum(cols['n'], 1); net = cols['w'] + cols['b'] + cols['p'] + cols['t'] - cols['c']
        per = np.sign(net) * ((2 * np.abs(net) + n) // (2 * n)); inc = np.full(len(hid), 2, 'i1'); inc[ipos] = np.where(known, per >= line_fen, 2)
        age = today - birth; child = (age >= 60000) & (age < 160000)
        red = lambda x: np.logical_or.reduceat(x, start)
        def fold(bad, unk):
            r = np.full(len(hid), 2, 'i1'); b, u = red(bad), red(unk); r[owner] = np.where(b, 0, np.where(u, 2, 1)); return r
        edu = fold(child & (Q['dropped'] == 1) & (Q['excused'] == 0), child & (Q['dropped'] == -1) & (Q['school'] == 0))
        hea = fold(((Q['resident'] == 0) & (Q['employee'] == 0)) | (Q['critical'] == 0), ~(((Q['resident'] == 1) | (Q['employee'] == 1)) & (Q['critical'] == 1)))
        f = lambda x: np.where(x == -1, 2, x)
        hou = np.where((H['unsafe'] == 1) | (H['grade'] >= 3), 0, np.where((H['unsafe'] == 0) | (H['grade'] > 0), 1, 2))
        wat = np.where((H['safe'] == 0) | (H['hard'] == 1), 0, np.where(H['safe'] == 1, 1, 2))
        return inc, f(H['food']), f(H['cloth']), edu, hea, hou, wat
    s, r = timed(run); rows = list(zip(hid.tolist(), *(x.tolist() for x in r)))

if o.out:
    with open(o.out, 'w', encoding='utf8') as f:
        f.write('户编号,' + ','.join(RULES) + '\n')
        for r in rows: f.write(str(r[0]) + ',' + ','.join(WORD[int(x)] for x in r[1:]) + '\n')
print(json.dumps({'engine': o.engine, 'households': len(rows), 'seconds': round(s, 4), 'households_per_s': round(len(rows) / s), 'load_s': round(load_s, 2), 'threads': o.threads,
                  'unmet': {k: sum(1 for r in rows if r[j + 1] == 0) for j, k in enumerate(RULES)}}))
