import { main } from "../common/server";
import { commandPlugin } from "./plugin";

void main(commandPlugin());
