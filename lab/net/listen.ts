import type { Server } from "node:net";

/** Listens on a port, or on any other when it is taken. Returns the port. */
export async function listenOn(server: Server, address: string, preferredPort: number): Promise<number> {
    const attempt = (port: number): Promise<number> =>
        new Promise((resolve, reject) => {
            server.once("error", reject);
            server.listen({ host: address, port }, () => {
                server.off("error", reject);
                const bound = server.address();
                resolve(typeof bound === "object" && bound ? bound.port : port);
            });
        });
    try {
        return await attempt(preferredPort);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
        return attempt(0);
    }
}
