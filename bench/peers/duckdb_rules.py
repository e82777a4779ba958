"""Four rules of a SIEM as one DuckDB query with windows over the log, loading included.

duckdb_rules.py LOG COUNTRIES THREADS [HITS]

COUNTRIES is a CSV of country, latitude, longitude: the centres that habitus itself has in its table. HITS gets a line for each login
that a rule found.
"""

import duckdb

import logins

LOAD = """
CREATE TABLE logins AS
SELECT metadata.uid AS uid, time, "user".name AS account, status_id = 1 AS succeeded,
       src_endpoint.location.country AS country,
       -- The same browser a version later is the same device.
       regexp_replace(http_request.user_agent, '[0-9._]+', '', 'g') AS device
FROM read_json($log, format = 'newline_delimited', columns = {
    metadata: 'STRUCT(uid VARCHAR)', time: 'BIGINT', status_id: 'INTEGER', "user": 'STRUCT(name VARCHAR)',
    src_endpoint: 'STRUCT(ip VARCHAR, location STRUCT(country VARCHAR), autonomous_system STRUCT(number UINTEGER))',
    http_request: 'STRUCT(user_agent VARCHAR)'})
"""

CENTRES = "CREATE TABLE centres AS SELECT * FROM read_csv($countries, header = true)"

# An account's first login is new in everything: it is no hit. More than 500 km at more than 800 km/h is impossible travel, as in
# evaluate/src/baselines/siem_rules.rs. Five failures within ten minutes before a success are guessing that worked.
RULES = """
CREATE TABLE hits AS
WITH seen AS (
    SELECT uid, account, time, succeeded,
        row_number() OVER (PARTITION BY account, succeeded ORDER BY time, uid) AS nth,
        row_number() OVER (PARTITION BY account, succeeded, country ORDER BY time, uid) AS nth_country,
        row_number() OVER (PARTITION BY account, succeeded, device ORDER BY time, uid) AS nth_device,
        lag(time) OVER before AS time_before,
        radians(latitude) AS north, radians(longitude) AS east,
        radians(lag(latitude) OVER before) AS north_before, radians(lag(longitude) OVER before) AS east_before,
        count(*) FILTER (NOT succeeded) OVER (
            PARTITION BY account ORDER BY time RANGE BETWEEN 600000 PRECEDING AND CURRENT ROW) AS failures
    FROM logins LEFT JOIN centres USING (country)
    WINDOW before AS (PARTITION BY account, succeeded ORDER BY time, uid)
), moved AS (
    -- least() passes over NULL: without a place before, there is no distance.
    SELECT *, CASE WHEN north_before + north IS NOT NULL THEN 2 * 6371 * asin(least(1, sqrt(
        sin((north - north_before) / 2) ** 2
        + cos(north) * cos(north_before) * sin((east - east_before) / 2) ** 2))) END AS km
    FROM seen WHERE succeeded
), ruled AS (
    SELECT uid, nth > 1 AND nth_country = 1 AS new_country, nth > 1 AND nth_device = 1 AS new_device,
        coalesce(km > 500 AND km / greatest((time - time_before) / 3600000, 1 / 3600) > 800, false) AS impossible_travel,
        failures >= 5 AS failures_before_success
    FROM moved
)
SELECT * FROM ruled WHERE new_country OR new_device OR impossible_travel OR failures_before_success
"""

HITS = """
SELECT uid, concat_ws(' ', CASE WHEN new_country THEN 'new_country' END, CASE WHEN new_device THEN 'new_device' END,
    CASE WHEN impossible_travel THEN 'impossible_travel' END,
    CASE WHEN failures_before_success THEN 'failures_before_success' END)
FROM hits ORDER BY uid
"""


def main() -> None:
    log, countries, threads = (logins.argument(number) for number in (1, 2, 3))
    database = duckdb.connect(config={"threads": int(threads)})
    database.execute(LOAD, {"log": log})
    database.execute(CENTRES, {"countries": countries})
    database.execute(RULES)
    if path := logins.argument(4):
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(f"{uid} {rules}\n" for uid, rules in database.execute(HITS).fetchall())
    (count,) = database.execute("SELECT count(*) FROM logins").fetchone()
    (hits,) = database.execute("SELECT count(*) FROM hits").fetchone()
    logins.say(count, hits, "duckdb")


if __name__ == "__main__":
    main()
