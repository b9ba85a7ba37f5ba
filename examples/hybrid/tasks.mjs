// What stays in Node.js. Schemas are plain JSON Schemas, or what a library makes of its own: with zod,
// { "app.tasks.greet": z.toJSONSchema(z.object({ name: z.string().min(1) }), { io: "input" }) }.
export const schemas = {
  "app.tasks.greet": {
    type: "object",
    properties: { name: { type: "string", minLength: 1 } },
    required: ["name"],
    additionalProperties: false,
  },
};

export const tasks = {
  "app.tasks.greet": async ({ name }) => `Hello, ${name}!`,
  "app.tasks.echo": async (input) => input,
};

export const events = {
  "app.events.notify": async (payload) => console.log("notified:", JSON.stringify(payload)),
};
