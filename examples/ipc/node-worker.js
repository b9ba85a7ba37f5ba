// A worker without any library: one JSON document a line in, one a line out.
const tasks = {
  'app.tasks.add': async ({ a, b }) => a + b,
  'app.tasks.greet': async ({ name }) => `Hello, ${name}!`,
  'app.tasks.echo': async (input) => input,
  'app.tasks.fail': async () => { throw new Error('This text stays in the log'); },
};
const events = {
  'app.events.notify': async ({ message }) => console.error('notified:', message),
  'app.events.log': async (payload) => console.error('logged:', JSON.stringify(payload)),
};

const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const { type, id, taskId, eventId, input, payload } = JSON.parse(line);
  try {
    const result = type === 'event' ? void await events[eventId](payload) : await tasks[taskId](input);
    console.log(JSON.stringify({ id, ok: true, result }));
  } catch (error) {
    console.log(JSON.stringify({ id, ok: false, error: { message: error.message, code: 'EXECUTION_ERROR' } }));
  }
});
