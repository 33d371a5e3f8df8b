import { main } from "../common/server";
import { tlsPlugin } from "./plugin";

void main(tlsPlugin());
