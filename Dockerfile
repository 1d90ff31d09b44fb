# Coordinator, worker and auditor: the command chooses (docker run assay --help).
FROM node:24-slim AS explorer
WORKDIR /assay
COPY package.json package-lock.json .npmrc tsconfig.json vite.config.ts ./
COPY anchor anchor
COPY compute compute
COPY src src
# `prepare` builds the pages.
RUN npm ci

FROM node:24-slim
WORKDIR /assay
# Dependencies first: they change less often than the sources. .npmrc keeps onnxruntime-node from fetching CUDA.
COPY package.json package-lock.json .npmrc ./
# Without `prepare`, whose tools are not for running; zeromq's own script is the only one that is needed.
RUN npm ci --omit=dev --ignore-scripts && npm rebuild zeromq && npm cache clean --force
COPY anchor anchor
COPY compute compute
COPY regtest regtest
COPY src src
COPY --from=explorer /assay/dist/explorer dist/explorer
# Made here so that a volume mounted at /data is writable without root.
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8380
ENTRYPOINT ["node", "src/cli/assay.js"]
CMD ["--help"]
