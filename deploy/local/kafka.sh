# Apache Kafka: one process that is broker and controller (KRaft). Sourced by cluster.sh.
# shellcheck shell=bash disable=SC2154

kafka_ports() { echo kafka kafka_controller; }

kafka_download() {
  maven -f "$here/kafka-pom.xml" -Dkafka.version="$KAFKA_VERSION" \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory="$PWD/lib" -DincludeScope=runtime
}

kafka_fetch() { fetch "kafka-$KAFKA_VERSION" kafka_download; }

kafka_java() {
  echo java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    -cp "$cache/kafka-$KAFKA_VERSION/lib/*"
}

# What depends on this folder and these ports; on being alone (every internal topic has one replica); and on being a test:
# few internal partitions start faster, and a broker that was killed is let back in after 5 s instead of 9.
kafka_settings() {
  local port=$1 controller=$2
  cat "$here/kafka.properties"
  cat <<SETTINGS
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.quorum.bootstrap.servers=127.0.0.1:$controller
log.dirs=$dir/kafka/data
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
offsets.topic.num.partitions=8
transaction.state.log.num.partitions=8
share.coordinator.state.topic.num.partitions=8
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=1000
SETTINGS
}

kafka_start() {
  local java
  read -ra java <<<"$(kafka_java)"
  kafka_settings "$1" "$(port_of kafka_controller)" >"$dir/kafka/server.properties"
  if [ ! -e "$dir/kafka/data/meta.properties" ]; then
    # Any 16 bytes in URL-safe base64 are a cluster id; with `=`, or one that begins with a hyphen is taken for an option.
    "${java[@]}" kafka.tools.StorageTool format --standalone -c "$dir/kafka/server.properties" \
      --cluster-id="$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')" >>"$dir/kafka/log" 2>&1 ||
      die "Kafka's data folder could not be made; its log is $dir/kafka/log"
  fi
  launch kafka "${java[@]}" kafka.Kafka "$dir/kafka/server.properties"
}

kafka_answers() { kcat -b "127.0.0.1:$1" -L -m 1; }
