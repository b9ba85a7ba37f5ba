// The tasks of examples/mount that are in Node.js.
export const tasks = {
  "app.tasks.greet": ({ name }) => `Hello, ${name}!`,
  "app.tasks.echo": (input) => input,
};
