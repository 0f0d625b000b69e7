// The client mysql2 of Node.js against a running server: node mysql2_suite.mjs HOST PORT [PASSWORD].
//
// One line a check, last the sum; status 1 if any failed. The package is found beside this file, or through NODE_PATH.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const mysql = require('mysql2/promise');
const callbacks = require('mysql2');

const [host, port, password = ''] = process.argv.slice(2);
const options = { host, port: Number(port), user: 'root', password };
const database = `mysql2_suite_${process.pid}`;
const checks = [];

function check(name, action) {
  checks.push([name, action]);
}

/** Runs `action` with a connection that is closed behind it. */
async function connected(more, action) {
  const connection = await mysql.createConnection({ ...options, ...more });
  try {
    return await action(connection);
  } finally {
    connection.destroy();
  }
}

/** Awaits that `promise` is refused with one of `codes`; the error. */
async function refused(promise, ...codes) {
  const error = await promise.then(
    () => assert.fail(`expected error ${codes}, found none`),
    (error) => error,
  );
  assert.ok(codes.includes(error.errno), `expected error ${codes}, found ${error.errno}: ${error.message}`);
  return error;
}

const one = async (connection, sql, values) => Object.values((await connection.query(sql, values))[0][0]);
const prepared = async (connection, sql, values) => Object.values((await connection.execute(sql, values))[0][0]);

check('logs in with the right password only', async () => {
  await connected({}, async (connection) => assert.deepEqual(await one(connection, 'SELECT 1'), [1]));
  const error = await refused(mysql.createConnection({ ...options, password: `wrong ${password}` }), 1045);
  assert.equal(error.sqlState, '28000');
  await refused(mysql.createConnection({ ...options, user: 'nobody' }), 1045);
});

check('is told that a database is unknown', async () => {
  const error = await refused(mysql.createConnection({ ...options, database: 'no_such_database' }), 1049, 5501);
  assert.match(error.message, /unknown database/i);
});

check('creates, uses and drops a database and a table', async () => {
  await connected({}, async (connection) => {
    await connection.query(`CREATE DATABASE ${database}`);
    await refused(connection.query(`CREATE DATABASE ${database}`), 1007);
    await connection.changeUser({ database });
    assert.deepEqual(await one(connection, 'SELECT DATABASE()'), [database]);
    await connection.query('CREATE TABLE t (id BIGINT, name STRING) DISTRIBUTED BY HASH(id)');
    const [rows, fields] = await connection.execute('SELECT id, name FROM t WHERE id > ? LIMIT ?', [1, 10]);
    assert.deepEqual(rows, []);
    assert.deepEqual(fields.map((field) => field.name), ['id', 'name']);
    await refused(connection.query('SELECT 1 FROM no_such_table'), 1146, 5502);
    await connection.query(`DROP DATABASE ${database} FORCE`);
    await refused(connection.query(`DROP DATABASE ${database}`), 1008);
  });
});

const types = [
  ['CAST(-7 AS TINYINT)', -7],
  ['CAST(-70000 AS INT)', -70000],
  ['CAST(9007199254740993 AS BIGINT)', '9007199254740993'],
  ["CAST('0.5' AS FLOAT)", 0.5],
  ["CAST('-2.25' AS DOUBLE)", -2.25],
  ['CAST(1.5 AS DECIMAL(10, 2))', '1.50'],
  ["'it''s ä😀'", "it's ä😀"],
  ["CAST('2024-06-12' AS DATE)", '2024-06-12'],
  ["CAST('2024-06-12 15:51:12' AS DATETIME)", /^2024-06-12 15:51:12(\.0+)?$/],
  ["CAST('2024-06-12 15:51:12.25' AS DATETIME)", /^2024-06-12 15:51:12\.250*$/],
  ['TRUE', 1],
  ['NULL', null],
];

for (const [how, read] of [['as text', one], ['prepared', prepared]]) {
  check(`reads every type ${how}`, async () => {
    await connected({ supportBigNumbers: true, dateStrings: true }, async (connection) => {
      for (const [expression, expected] of types) {
        const [found] = await read(connection, `SELECT ${expression} AS v`);
        if (expected instanceof RegExp) assert.match(found, expected);
        else assert.deepEqual(found, expected, expression);
      }
    });
  });
}

check('gets parameters of every type back', async () => {
  await connected({}, async (connection) => {
    for (const value of [0, -5, -1e-7, 'plain', "it's \\ \"quoted\" `` -- /* ? */ ;\n", 'ä😀', '', null, 'x'.repeat(100_000)]) {
      for (const read of [one, prepared]) {
        assert.deepEqual(await read(connection, 'SELECT ? AS v', [value]), [value]);
      }
    }
    // As text `2.5` is a DECIMAL, which mysql2 gives as text, as it does with MySQL; prepared it is a DOUBLE.
    assert.deepEqual(await one(connection, 'SELECT ? AS v', [2.5]), ['2.5']);
    assert.deepEqual(await prepared(connection, 'SELECT ? AS v', [2.5]), [2.5]);
    assert.deepEqual(await prepared(connection, 'SELECT ? AS v', [true]), [1]);
    const bytes = Buffer.from([0xff, 0, 0xfe]);
    assert.ok(bytes.equals((await prepared(connection, 'SELECT ? AS v', [bytes]))[0]));
    const [moment] = await prepared(connection, 'SELECT ? AS v', [new Date(Date.UTC(2024, 5, 12, 1, 2, 3))]);
    assert.match(String(moment), /2024/);
  });
});

check('runs a prepared statement many times', async () => {
  await connected({}, async (connection) => {
    const statement = await connection.prepare('SELECT ? AS n, ? AS t');
    for (let number = 0; number < 50; number += 1) {
      const [rows] = await statement.execute([number, `t${number}`]);
      assert.deepEqual(rows[0], { n: number, t: `t${number}` });
    }
    await statement.close();
    assert.deepEqual(await one(connection, 'SELECT 1'), [1]);
  });
});

check('answers several statements in order', async () => {
  await connected({ multipleStatements: true }, async (connection) => {
    const [results] = await connection.query("SELECT 1 AS a; SET @a = 2; SELECT @a AS b; SELECT 'a;b' AS c");
    assert.deepEqual([results[0], results[2], results[3]], [[{ a: 1 }], [{ b: 2 }], [{ c: 'a;b' }]]);
    await refused(connection.query('SELECT 1; this is no statement'), 1064);
    assert.deepEqual(await one(connection, 'SELECT 4'), [4]);
  });
  await connected({}, (connection) => refused(connection.query('SELECT 1; SELECT 2'), 1064));
});

check('stays usable after errors', async () => {
  await connected({}, async (connection) => {
    const error = await refused(connection.query('this is no statement'), 1064);
    assert.equal(error.sqlState, '42000');
    await refused(connection.execute('SELECT FROM WHERE ?', [1]), 1064);
    await refused(connection.query("SET time_zone = 'Mars/Base'"), 1298);
    assert.deepEqual(await one(connection, 'SELECT 1'), [1]);
  });
});

check('streams rows', async () => {
  const connection = callbacks.createConnection(options);
  try {
    const rows = [];
    for await (const row of connection.query("SELECT 1 AS a, 'x' AS b").stream()) rows.push({ ...row });
    assert.deepEqual(rows, [{ a: 1, b: 'x' }]);
  } finally {
    connection.destroy();
  }
});

check('uses a pool from many sides at once', async () => {
  const pool = mysql.createPool({ ...options, connectionLimit: 8 });
  try {
    const asked = Array.from({ length: 200 }, (_, number) => pool.execute('SELECT ? AS n', [number]));
    const answers = await Promise.all(asked);
    assert.deepEqual(answers.map(([rows]) => rows[0].n), Array.from({ length: 200 }, (_, number) => number));
  } finally {
    await pool.end();
  }
});

check('pings, resets and changes user', async () => {
  await connected({}, async (connection) => {
    await connection.ping();
    await connection.query('SET @a = 1');
    await connection.reset();
    assert.deepEqual(await one(connection, 'SELECT @a AS a'), [null]);
    await connection.changeUser({ user: 'root', password });
    await connection.beginTransaction();
    await connection.commit();
    await connection.rollback();
    await refused(connection.changeUser({ user: 'root', password: `wrong ${password}` }), 1045);
  });
});

let failed = 0;
for (const [name, action] of checks) {
  try {
    await action();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}
try {
  await connected({}, (connection) => connection.query(`DROP DATABASE IF EXISTS ${database} FORCE`));
} catch (error) {
  failed += 1;
  console.log(`FAILED  cleaning up: ${error.message}`);
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
