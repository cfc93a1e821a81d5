/** How the command line of each process of an environment is known: by the program that it runs. */
export const COMMANDS = {
  mongod: /^\S*mongod /,
  agent: /^\S*node .*\/programs\/quorated\.js/,
  api: /^\S*node .*\/programs\/api-server\.js/,
  worker: /^\S*node .*\/programs\/controller-worker\.js/,
  engineWorker: /^\S*node .*\/programs\/engine-worker\.js/,
} as const;
