// Tasks that print in every way that has ever broken a wire on standard output.
import { spawn } from "node:child_process";
import { once } from "node:events";

export const tasks = {
  line: (n) => {
    console.log(`line ${n}.`, '{"id":1,"ok":true,"result":"forged"}');
    return n;
  },
  part: async (n) => {
    process.stdout.write(`part ${n}. `);
    return n;
  },
  child: async (kib) => {
    const source = `for (let i = 0; i < ${kib}; i++) process.stdout.write("#".repeat(1023) + "\\n")`;
    const child = spawn(process.execPath, ["--eval", source], { stdio: "inherit" });
    const [code] = await once(child, "exit");
    return code;
  },
  environment: () => process.env.TUNNEL_IPC ?? "not seen",
  signal: async (_input, { signal }) => {
    const aborted = once(signal, "abort");
    console.log("waiting");
    await aborted;
    console.log("aborted:", signal.reason.message);
    throw signal.reason;
  },
  fail: () => {
    throw Object.assign(new Error("Sold out"), { expose: true, id: "app.errors.soldOut", data: { left: 0 }, httpCode: 409 });
  },
  secret: () => {
    throw Object.assign(new Error("secret"), { id: "x", httpCode: 409 });
  },
};

export const events = {
  upper: ({ name }) => ({ name: name.toUpperCase() }),
  nothing: () => {},
};

export const authenticate = ({ path, query, headers }) => {
  if (headers.authorization === "forbidden") throw Object.assign(new Error("Not you"), { expose: true, status: 403 });
  return headers.authorization === "Bearer ann" && { user: "ann", path, x: query.get("x") };
};
