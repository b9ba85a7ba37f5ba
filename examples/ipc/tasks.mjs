// What a worker serves, and nothing else: no import, no server, no protocol.
export const tasks = {
  'app.tasks.add': ({ a, b }) => a + b,
  'app.tasks.greet': async ({ name }) => `Hello, ${name}!`,
  'app.tasks.echo': (input) => input,
  'app.tasks.fail': () => { throw new Error('This text stays in the log'); },
};

export const events = {
  'app.events.notify': ({ message }) => console.log('notified:', message),
  'app.events.log': (payload, { requestId }) => console.log('logged:', payload, requestId),
};
