import java.io.ByteArrayOutputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.jms.BytesMessage;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.Destination;
import javax.jms.JMSException;
import javax.jms.MapMessage;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageEOFException;
import javax.jms.MessageProducer;
import javax.jms.ObjectMessage;
import javax.jms.Queue;
import javax.jms.QueueBrowser;
import javax.jms.Session;
import javax.jms.StreamMessage;
import javax.jms.TextMessage;
import javax.jms.Topic;
import javax.jms.TopicSubscriber;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQXAConnectionFactory;
import org.apache.activemq.RedeliveryPolicy;
import org.apache.activemq.command.ActiveMQDestination;
import org.apache.activemq.command.ActiveMQMessage;
import org.apache.activemq.command.ActiveMQQueue;

/**
 * The vendor's own client, as the tests' witness: sends every kind of message, and says in JSON
 * lines on standard output what it sent and what it reads back. Usage: URL "COMMAND NAME [COUNT]"...
 */
public final class JmsClient {
    private static final long TEN_DAYS = 864_000_000L;
    private static final String BROAD = "na\u00efve \u2603 \uD834\uDD1E \uD83D\uDE00";

    private final ActiveMQConnectionFactory factory;
    private final String url;

    private JmsClient(String url) {
        this.url = url;
        factory = new ActiveMQConnectionFactory(url);
        factory.setTrustAllPackages(true);
        factory.setUserName(System.getenv("JMS_USER"));
        factory.setPassword(System.getenv("JMS_PASSWORD"));
        RedeliveryPolicy policy = new RedeliveryPolicy();
        policy.setMaximumRedeliveries(2);
        policy.setInitialRedeliveryDelay(0);
        policy.setRedeliveryDelay(0);
        factory.setRedeliveryPolicy(policy);
    }

    public static void main(String[] args) {
        JmsClient client = new JmsClient(args[0]);
        int code = 1;
        try {
            for (String command : Arrays.asList(args).subList(1, args.length)) {
                client.run(command.split(" "));
            }
            code = 0;
        } catch (Exception error) {
            error.printStackTrace();
        }
        System.out.flush();
        System.exit(code); // whatever threads a connection has left
    }

    private void run(String[] words) throws Exception {
        String name = words[1];
        switch (words[0]) {
            case "everything":
                everything(name);
                break;
            case "dead-letter":
                deadLetter(name);
                break;
            case "transactions":
                transactions(name);
                break;
            case "subscriptions":
                subscriptions(name);
                break;
            case "prepare":
                prepare(name);
                break;
            case "many":
                many(name, Integer.parseInt(words[2]));
                break;
            case "browse":
                browse(name);
                break;
            case "pending":
                pending(name);
                break;
            case "take":
                take(name, Integer.parseInt(words[2]));
                break;
            case "drop":
                drop(name);
                break;
            case "hold":
                hold(name);
                break;
            case "copies":
                copies(name);
                break;
            case "bodies":
                bodies(name);
                break;
            default:
                throw new IllegalArgumentException(words[0]);
        }
    }

    /** Every kind of message and body, compressed and not, each with other headers. */
    private void everything(String name) throws Exception {
        for (boolean compressed : new boolean[] {false, true}) {
            factory.setUseCompression(compressed);
            Connection connection = factory.createConnection();
            connection.start();
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            MessageProducer producer = session.createProducer(session.createQueue(name));
            int number = 0;
            for (Message message : messages(session)) {
                properties(message, number);
                headers(session, message, number);
                long life = number % 3 == 0 ? 0 : TEN_DAYS;
                producer.send(message, DeliveryMode.PERSISTENT, number % 10, life);
                say("sent", name, message);
                number++;
            }
            connection.close();
        }
        factory.setUseCompression(false);
    }

    private List<Message> messages(Session session) throws JMSException {
        List<Message> found = new ArrayList<>();
        for (String text : new String[] {"plain", BROAD, "", "long ".repeat(5000), "nul\0 cr\r\n"}) {
            found.add(session.createTextMessage(text));
        }
        found.add(session.createTextMessage(null));
        byte[] every = new byte[256];
        for (int each = 0; each < every.length; each++) {
            every[each] = (byte) each;
        }
        found.add(session.createBytesMessage());
        BytesMessage bytes = session.createBytesMessage();
        bytes.writeBytes(every);
        found.add(bytes);
        MapMessage map = session.createMapMessage();
        map.setString("text", BROAD);
        map.setBoolean("boolean", true);
        map.setByte("byte", (byte) -7);
        map.setShort("short", (short) -300);
        map.setChar("char", 'x');
        map.setInt("int", Integer.MIN_VALUE);
        map.setLong("long", Long.MAX_VALUE);
        map.setFloat("float", 1.1f);
        map.setDouble("double", 1.0E-9);
        map.setBytes("bytes", every);
        found.add(map);
        found.add(session.createMapMessage());
        StreamMessage stream = session.createStreamMessage();
        stream.writeString(BROAD);
        stream.writeBoolean(false);
        stream.writeByte((byte) 1);
        stream.writeShort((short) 2);
        stream.writeChar('\u00e9');
        stream.writeInt(3);
        stream.writeLong(4L);
        stream.writeFloat(3.4028235E38f);
        stream.writeDouble(0.1);
        stream.writeBytes(every);
        found.add(stream);
        found.add(session.createObjectMessage(new ArrayList<>(List.of("one", 2, BROAD))));
        found.add(session.createObjectMessage("an object"));
        found.add(session.createMessage());
        return found;
    }

    private void properties(Message message, int number) throws JMSException {
        message.setIntProperty("number", number);
        message.setStringProperty("text", "caf\u00e9 \u2603");
        message.setBooleanProperty("boolean", number % 2 == 0);
        message.setByteProperty("byte", (byte) (number - 5));
        message.setShortProperty("short", Short.MIN_VALUE);
        message.setLongProperty("long", Long.MIN_VALUE + number);
        message.setFloatProperty("float", 0.1f);
        message.setDoubleProperty("double", 12345678901.5);
        message.setStringProperty("empty", "");
        if (number % 4 == 1) {
            message.setStringProperty("broad", BROAD);
        }
    }

    private void headers(Session session, Message message, int number) throws JMSException {
        if (number % 2 == 0) {
            message.setJMSCorrelationID("correlation-" + number);
            message.setJMSType("type/" + number % 3);
        }
        if (number % 3 == 1) {
            message.setStringProperty("JMSXGroupID", "group-" + number % 2);
            message.setIntProperty("JMSXGroupSeq", number);
        }
        if (number % 5 == 2) {
            Destination topic = session.createTopic("ANSWERS");
            message.setJMSReplyTo(number % 2 == 0 ? session.createQueue("ANSWERS") : topic);
        }
    }

    /** One message refused by its reader until the broker moves it to the dead letters. */
    private void deadLetter(String name) throws Exception {
        Connection connection = factory.createConnection();
        connection.start();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = session.createQueue(name);
        TextMessage message = session.createTextMessage("nobody can read this");
        message.setStringProperty("why", "it is broken");
        session.createProducer(queue).send(message);
        session.commit();
        MessageConsumer consumer = session.createConsumer(queue);
        for (int tries = 0; tries < 3; tries++) {
            if (consumer.receive(5000) == null) {
                throw new IllegalStateException("not delivered again");
            }
            session.rollback();
        }
        if (consumer.receive(300) != null) {
            throw new IllegalStateException("delivered after it was given up");
        }
        connection.close();
    }

    /** Two messages of a committed transaction; one of a rolled back one, which nobody sees. */
    private void transactions(String name) throws Exception {
        Connection connection = factory.createConnection();
        connection.start();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(session.createQueue(name));
        for (int number = 0; number < 2; number++) {
            Message message = session.createTextMessage("committed " + number);
            producer.send(message);
            say("sent", name, message);
        }
        session.commit();
        producer.send(session.createTextMessage("rolled back"));
        session.rollback();
        connection.close();
    }

    /** One message sent by a transaction that is prepared, and neither committed nor rolled back. */
    private void prepare(String name) throws Exception {
        var xa = new ActiveMQXAConnectionFactory(url).createXAConnection();
        xa.start();
        var session = xa.createXASession();
        XAResource resource = session.getXAResource();
        Xid id = new Id();
        resource.start(id, XAResource.TMNOFLAGS);
        session.createProducer(session.createQueue(name)).send(session.createTextMessage("in doubt"));
        resource.end(id, XAResource.TMSUCCESS);
        resource.prepare(id);
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static final class Id implements Xid {
        @Override
        public int getFormatId() {
            return 4711;
        }

        @Override
        public byte[] getGlobalTransactionId() {
            return "isb-test".getBytes(StandardCharsets.US_ASCII);
        }

        @Override
        public byte[] getBranchQualifier() {
            return new byte[] {1};
        }
    }

    /** Two durable subscriptions to a topic of eight messages; one has acknowledged three. */
    private void subscriptions(String name) throws Exception {
        for (String subscription : new String[] {"partly", "nothing"}) {
            Connection connection = subscriber();
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            session.createDurableSubscriber(session.createTopic(name), subscription).close();
            connection.close();
        }
        Connection connection = factory.createConnection();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(session.createTopic(name));
        for (int number = 0; number < 8; number++) {
            producer.send(session.createTextMessage("update " + number));
        }
        connection.close();
        Connection reader = subscriber();
        Session reading = reader.createSession(false, ActiveMQSessions.INDIVIDUAL);
        Topic topic = reading.createTopic(name);
        TopicSubscriber consumer = reading.createDurableSubscriber(topic, "partly");
        for (int number = 0; number < 3; number++) {
            consumer.receive(5000).acknowledge();
        }
        reader.close();
    }

    private static final class ActiveMQSessions {
        static final int INDIVIDUAL = 4;
    }

    private Connection subscriber() throws JMSException {
        Connection connection = factory.createConnection();
        connection.setClientID("client");
        connection.start();
        return connection;
    }

    /** What each subscription has still to get, read in a transaction that is rolled back. */
    private void pending(String name) throws Exception {
        Connection connection = subscriber();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        for (String subscription : new String[] {"partly", "nothing"}) {
            Topic topic = session.createTopic(name);
            MessageConsumer consumer = session.createDurableSubscriber(topic, subscription);
            Message message;
            while ((message = consumer.receive(700)) != null) {
                Map<String, Object> line = new TreeMap<>();
                line.put("message_id", message.getJMSMessageID());
                line.put("subscription", "client:" + subscription);
                line.put("body", ((TextMessage) message).getText());
                System.out.println(json(line));
            }
            session.rollback();
            consumer.close();
        }
        connection.close();
    }

    private void many(String name, int count) throws Exception {
        factory.setUseAsyncSend(true);
        Connection connection = factory.createConnection();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(session.createQueue(name));
        for (int number = 0; number < count; number++) {
            producer.send(session.createTextMessage("message " + number + " " + "x".repeat(1000)));
        }
        session.commit();
        connection.close();
    }

    /** Remove a queue with all that it holds. */
    private void drop(String name) throws Exception {
        ActiveMQConnection connection = (ActiveMQConnection) factory.createConnection();
        connection.start();
        connection.destroyDestination(new ActiveMQQueue(name));
        connection.close();
    }

    /** Take one message, do not acknowledge it, and keep it until standard input ends. */
    private void hold(String name) throws Exception {
        Connection connection = factory.createConnection();
        connection.start();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        say("held", name, session.createConsumer(session.createQueue(name)).receive(5000));
        System.out.flush();
        System.in.readAllBytes();
        session.rollback();
        connection.close();
    }

    /** One message to two queues at once: NAME.1 and NAME.2 hold the same message id. */
    private void copies(String name) throws Exception {
        Connection connection = factory.createConnection();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue both = session.createQueue(name + ".1," + name + ".2");
        session.createProducer(both).send(session.createTextMessage("for both"));
        connection.close();
    }

    /** A bytes message for every line of Base64 on standard input, in their order. */
    private void bodies(String name) throws Exception {
        Connection connection = factory.createConnection();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        MessageProducer producer = session.createProducer(session.createQueue(name));
        byte[] input = System.in.readAllBytes();
        for (String line : new String(input, StandardCharsets.US_ASCII).split("\n")) {
            if (!line.isEmpty()) {
                BytesMessage message = session.createBytesMessage();
                message.writeBytes(Base64.getDecoder().decode(line.substring(1)));
                producer.send(message);
            }
        }
        session.commit();
        connection.close();
    }

    /** Consume some messages. */
    private void take(String name, int count) throws Exception {
        Connection connection = factory.createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue(name));
        for (int number = 0; number < count; number++) {
            say("taken", name, consumer.receive(5000));
        }
        connection.close();
    }

    private void browse(String name) throws Exception {
        Connection connection = factory.createConnection();
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        QueueBrowser browser = session.createBrowser(session.createQueue(name));
        Enumeration<?> found = browser.getEnumeration();
        while (found.hasMoreElements()) {
            say("browsed", name, (Message) found.nextElement());
        }
        connection.close();
    }

    private static void say(String event, String queue, Message message) throws Exception {
        Map<String, Object> line = new TreeMap<>();
        line.put("event", event);
        line.put("destination", "queue://" + queue);
        line.put("message_id", message.getJMSMessageID());
        line.put("correlation_id", message.getJMSCorrelationID());
        line.put("type", message.getJMSType());
        line.put("priority", message.getJMSPriority());
        line.put("timestamp", message.getJMSTimestamp());
        line.put("expiration", message.getJMSExpiration());
        line.put("group_id", ((ActiveMQMessage) message).getGroupID());
        line.put("group_seq", ((ActiveMQMessage) message).getGroupSequence());
        line.put("attempts", ((ActiveMQMessage) message).getRedeliveryCounter());
        Destination reply = message.getJMSReplyTo();
        line.put("reply_to", reply == null ? null : ((ActiveMQDestination) reply).getQualifiedName());
        line.put("properties", propertiesOf((ActiveMQMessage) message));
        body(message, line);
        System.out.println(json(line));
    }

    private static Map<String, Object> propertiesOf(ActiveMQMessage message) throws Exception {
        Map<String, Object> found = new TreeMap<>();
        Map<String, Object> properties = message.getProperties();
        for (Map.Entry<String, Object> each : properties.entrySet()) {
            Object value = each.getValue();
            Map<String, Object> described = new LinkedHashMap<>();
            String kind = value == null ? "null" : value.getClass().getSimpleName();
            described.put("java", kind.equals("String") ? "UTF8Buffer" : kind);
            described.put("value", value == null ? null : value.toString());
            found.put(each.getKey(), described);
        }
        return found;
    }

    private static void body(Message message, Map<String, Object> line) throws Exception {
        if (message instanceof TextMessage) {
            line.put("body_type", "text");
            line.put("body", ((TextMessage) message).getText());
        } else if (message instanceof BytesMessage) {
            BytesMessage bytes = (BytesMessage) message;
            bytes.reset();
            byte[] content = new byte[(int) bytes.getBodyLength()];
            bytes.readBytes(content);
            line.put("body_type", "bytes");
            line.put("body", Base64.getEncoder().encodeToString(content));
        } else if (message instanceof MapMessage) {
            MapMessage map = (MapMessage) message;
            Map<String, Object> members = new TreeMap<>();
            for (Object name : Collections.list(map.getMapNames())) {
                members.put((String) name, typed(map.getObject((String) name)));
            }
            line.put("body_type", "map");
            line.put("body", members);
        } else if (message instanceof StreamMessage) {
            StreamMessage stream = (StreamMessage) message;
            stream.reset();
            List<Object> members = new ArrayList<>();
            try {
                while (true) {
                    members.add(typed(stream.readObject()));
                }
            } catch (MessageEOFException end) {
                line.put("body_type", "stream");
                line.put("body", members);
            }
        } else if (message instanceof ObjectMessage) {
            Serializable object = ((ObjectMessage) message).getObject();
            line.put("body_type", "object");
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
                out.writeObject(object);
                out.reset(); // as the vendor's client does
            }
            line.put("body", Base64.getEncoder().encodeToString(bytes.toByteArray()));
        } else {
            line.put("body_type", "empty");
            line.put("body", null);
        }
    }

    private static Map<String, Object> typed(Object value) {
        Map<String, Object> found = new TreeMap<>();
        found.put("java", value.getClass().getSimpleName());
        boolean binary = value instanceof byte[];
        String text = binary ? Base64.getEncoder().encodeToString((byte[]) value) : value.toString();
        found.put("value", text);
        return found;
    }

    private static String json(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            return String.valueOf(value);
        }
        StringBuilder out = new StringBuilder();
        if (value instanceof Map) {
            String between = "{";
            for (Map.Entry<?, ?> each : ((Map<?, ?>) value).entrySet()) {
                out.append(between).append(json(each.getKey())).append(':');
                out.append(json(each.getValue()));
                between = ",";
            }
            return out.length() == 0 ? "{}" : out.append('}').toString();
        }
        if (value instanceof List) {
            String between = "[";
            for (Object each : (List<?>) value) {
                out.append(between).append(json(each));
                between = ",";
            }
            return out.length() == 0 ? "[]" : out.append(']').toString();
        }
        out.append('"');
        for (char each : value.toString().toCharArray()) {
            if (each < ' ' || each > '~' || each == '"' || each == '\\') {
                out.append(String.format("\\u%04x", (int) each));
            } else {
                out.append(each);
            }
        }
        return out.append('"').toString();
    }
}
