# The program with its page, for one process of a cluster (ORLEANS_HOST=Cluster) or all in one (Local).
ARG DOTNET=10.0
ARG NODE=22

FROM node:${NODE}-bookworm-slim AS page
WORKDIR /page
COPY src/Web/package.json src/Web/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY src/Web/ ./
RUN npm run build

FROM mcr.microsoft.com/dotnet/sdk:${DOTNET}-noble AS build
ARG ORLEANS_HOST=Cluster
WORKDIR /source
# The system's SQLite gets security updates; the copy in the package is the fallback and older.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libsqlite3-0 \
    && mkdir -p /out/lib /out/app /out/data /out/secrets \
    && cp -L /usr/lib/*-linux-gnu/libsqlite3.so.0 /out/lib/
COPY . .
COPY --from=page /page/dist/ src/Web/dist/
# Newer than its sources, so that the build embeds it and looks for no node.
RUN touch src/Web/dist/index.html \
    && dotnet publish src/Silo -c Release -o /out/app -p:OrleansHost=${ORLEANS_HOST} -p:DebugType=embedded \
    && ln -s HybridTrading.Silo /out/app/HybridTrading

# No shell, no package manager, user 1654.
FROM mcr.microsoft.com/dotnet/aspnet:${DOTNET}-noble-chiselled
COPY --from=build /out/lib/ /usr/lib/
COPY --from=build /out/app/ /app/
COPY --from=build --chown=1654:1654 /out/data/ /data/
COPY --from=build --chown=1654:1654 /out/secrets/ /secrets/
# The base image would have the web server listen on a port of its own choice.
ENV PATH=/app:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HYBRID_DATA=/data ASPNETCORE_HTTP_PORTS=
VOLUME /data
USER 1654:1654
# HTTP is on loopback: only a process inside the container can ask.
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 CMD ["/app/HybridTrading", "health"]
ENTRYPOINT ["/app/HybridTrading"]
