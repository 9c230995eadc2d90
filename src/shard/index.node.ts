/** `setway/shard` under Node: shards in threads too. */
export * from "./index.ts";
export { threadTeam } from "./threads.node.ts";
