import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "../generated/prisma/client.ts";

let connected;

// The first request connects, so that the API starts and answers /health without a database.
export function database() {
  connected ??= connect().catch((error) => {
    connected = undefined;
    throw error;
  });
  return connected;
}

async function connect() {
  const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL });
  const client = new PrismaClient({ adapter });
  // What `prisma db push` would do, without the schema engine that it downloads.
  await client.$executeRaw`
    CREATE TABLE IF NOT EXISTS "Task" (
      id SERIAL PRIMARY KEY, title TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT false)`;
  return client;
}
