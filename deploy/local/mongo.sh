# The MongoDB-protocol server: mongo-java-server on an H2 file, with the classes of store-server/. Sourced by cluster.sh.
# shellcheck shell=bash disable=SC2154

mongo_ports() { echo mongo; }

# The cache knows it by its sources, so that a change of them is compiled.
store_server() {
  echo "store-server-$MONGO_JAVA_SERVER_VERSION-$(cat "$here"/store-server/* | sha256sum | cut -c1-12)"
}

store_server_build() {
  maven -f "$here/store-server/pom.xml" -Dmongo-java-server.version="$MONGO_JAVA_SERVER_VERSION" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$PWD/lib" -DincludeScope=runtime &&
    javac -cp 'lib/*' -d classes "$here"/store-server/*.java
}

mongo_fetch() { fetch "$(store_server)" store_server_build; }

mongo_start() {
  local home
  home=$cache/$(store_server)
  launch mongo java -Xmx512m -XX:+UseSerialGC -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -cp "$home/classes:$home/lib/*" StoreServer "$1" "$dir/mongo/data/store.mv"
}

# A ping in the wire protocol: an OP_MSG whose body is {ping: 1, $db: "admin"}; the whole answer is 38 bytes.
mongo_answers() {
  exec 7<>"/dev/tcp/127.0.0.1/$1" || return 1
  # shellcheck disable=SC2016
  printf '\x33\0\0\0\1\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1e\0\0\0\x10ping\0\1\0\0\0\2$db\0\6\0\0\0admin\0\0' >&7
  timeout 2 head -c 38 <&7 | grep -q .
  local answered=$?
  exec 7>&-
  return "$answered"
}
