# Coordinator, worker and auditor: the command chooses (docker run assay --help).
FROM node:24-slim
WORKDIR /assay
# Dependencies first: they change less often than the sources. .npmrc keeps onnxruntime-node from fetching CUDA.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && npm cache clean --force
COPY anchor anchor
COPY compute compute
COPY regtest regtest
COPY src src
# Made here so that a volume mounted at /data is writable without root.
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8380
ENTRYPOINT ["node", "src/cli/assay.js"]
CMD ["--help"]
