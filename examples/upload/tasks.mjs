import { createHash } from "node:crypto";

export const tasks = {
  // A file of the form is an object with a stream in it, which arrives while it is read.
  "app.tasks.hash": async ({ file }) => {
    const hash = createHash("sha256");
    let size = 0;
    const { stream } = await file.resolve();
    for await (const chunk of stream) {
      hash.update(chunk);
      size += chunk.length;
    }
    return { name: file.name, size, sha256: hash.digest("hex"), by: "node" };
  },
};
