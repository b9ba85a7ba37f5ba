// Tasks that do what no task should.

export const tasks = {
  pid: () => process.pid,
  wrap: (input) => ({ input }),
};
