import { DatabaseSync } from "node:sqlite"; // Node.js 22.13 or later; any other driver will do as well
import { globals, r, run } from "@bluelibs/runner";

const database = r
  .resource("app.database")
  .init(async () => {
    const file = process.env.DATABASE;
    if (!file) throw new Error("DATABASE is not set");
    const db = new DatabaseSync(file);
    db.exec("PRAGMA busy_timeout = 5000"); // there may be other workers, and are while one is replaced
    db.exec("CREATE TABLE IF NOT EXISTS orders (item TEXT NOT NULL)");
    return db;
  })
  .dispose(async (db) => db.close())
  .build();

const order = r
  .task("app.tasks.order")
  .dependencies({ database })
  .run(async ({ item }: { item: string }, { database }) => {
    database.prepare("INSERT INTO orders VALUES (?)").run(item);
    return database.prepare("SELECT count(*) AS orders FROM orders WHERE item = ?").get(item);
  })
  .build();

// What may be called from outside.
const tunnel = r
  .resource("app.tunnel")
  .tags([globals.tags.tunnel])
  .init(async () => ({ mode: "server" as const, transport: "http" as const, tasks: [order] }))
  .build();

const app = r.resource("app").register([database, order, tunnel]).build();

export const runtime = run(app, { logs: { printStrategy: "json", printThreshold: "warn" } });
