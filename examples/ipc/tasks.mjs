// A worker is a module that exports what it serves. It needs no imports and no packages.
export const tasks = {
  "app.tasks.add": async ({ a, b }) => a + b,
  "app.tasks.greet": async ({ name }) => `Hello, ${name}!`,
  "app.tasks.echo": async (input) => input,
  "app.tasks.fail": async () => {
    throw new Error("This text stays in the log");
  },
};

// What is printed goes to the server's log.
export const events = {
  "app.events.notify": async ({ message }) => console.log("notified:", message),
  "app.events.log": async (payload) => console.log("logged:", JSON.stringify(payload)),
};
