export { type MysqlEngine, type MysqlReplicationArgs } from "./args";
export { MysqlReplication, type MysqlReplicationResult, type MysqlServer } from "./mysqlReplication";
