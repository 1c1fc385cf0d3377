import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import javax.jms.Connection;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.QueueBrowser;
import javax.jms.Session;
import javax.jms.Topic;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.broker.BrokerFactory;
import org.apache.activemq.broker.BrokerService;
import org.apache.activemq.command.ActiveMQDestination;
import org.apache.activemq.command.ActiveMQQueue;

/** A broker with the configuration named first. Lines on standard input: `subscribe TOPIC CLIENT
 * NAME SELECTOR`, `send DESTINATION TYPE PRIORITY ODD`, tab-separated. Then it says of each message
 * (by its number from 0) and each queue or subscription that holds it: number, tab, name. */
public class Virtual {
    public static void main(String[] arguments) throws Exception {
        BrokerService broker = BrokerFactory.createBroker("xbean:file:" + arguments[0]);
        broker.start();
        broker.waitUntilStarted();
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory("vm://isb?create=false");
        List<String[]> subscriptions = new ArrayList<>();
        Connection connection = factory.createConnection();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        connection.start();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        int number = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] parts = line.split("\t", -1);
            if (parts[0].equals("subscribe")) {
                subscriptions.add(parts);
                waiting(factory, parts, false);
                continue;
            }
            ActiveMQDestination to = ActiveMQDestination.createDestination(
                parts[1], ActiveMQDestination.QUEUE_TYPE);
            MessageProducer producer = session.createProducer(to);
            Message message = session.createMessage();
            message.setIntProperty("number", number++);
            if (!parts[2].isEmpty()) {
                message.setJMSType(parts[2]);
            }
            if (!parts[4].isEmpty()) {
                message.setIntProperty("odd", Integer.parseInt(parts[4]));
            }
            producer.send(message, 1, Integer.parseInt(parts[3]), 0);
            producer.close();
        }
        for (ActiveMQDestination each : broker.getRegionBroker().getDestinations()) {
            if (each.isQueue() && !each.isTemporary()) {
                QueueBrowser browser = session.createBrowser(new ActiveMQQueue(each.getPhysicalName()));
                Enumeration<?> held = browser.getEnumeration();
                while (held.hasMoreElements()) {
                    say((Message) held.nextElement(), each.getQualifiedName());
                }
                browser.close();
            }
        }
        for (String[] parts : subscriptions) {
            waiting(factory, parts, true);
        }
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void waiting(ActiveMQConnectionFactory factory, String[] parts, boolean take)
            throws Exception {
        Connection connection = factory.createConnection();
        connection.setClientID(parts[2]);
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Topic topic = session.createTopic(parts[1]);
        String selector = parts[4].isEmpty() ? null : parts[4];
        MessageConsumer consumer = session.createDurableSubscriber(topic, parts[3], selector, false);
        while (take) {
            Message message = consumer.receive(300);
            if (message == null) {
                break;
            }
            say(message, parts[2] + ":" + parts[3]);
        }
        consumer.close();
        connection.close();
    }

    private static void say(Message message, String where) throws Exception {
        System.out.println("held\t" + message.getIntProperty("number") + "\t" + where);
    }
}
